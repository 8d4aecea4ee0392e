// SPDX-License-Identifier: Apache-2.0
// The measured contract on the official Node shim. Address, package id and TLS files are in the
// environment, under the names that shim documents.
'use strict';
const fs = require('node:fs');
const shim = require('fabric-shim');

class Store {
    async Init() {
        return shim.success();
    }

    async Invoke(stub) {
        const { fcn, params } = stub.getFunctionAndParameters();
        switch (fcn) {
        case 'Noop':
            return shim.success();
        case 'Get':
            return shim.success(await stub.getState(params[0]));
        case 'Put':
            await stub.putState(params[0], Buffer.from(params[1]));
            return shim.success();
        case 'Scan': {
            let held = 0;
            for (let number = 0; number < Number(params[0]); number++) {
                held += (await stub.getState(`key${number}`)).length;
            }
            return shim.success(Buffer.from(String(held)));
        }
        case 'Fill':
            for (let number = 0; number < Number(params[0]); number++) {
                await stub.putState(`key${number}`, Buffer.from(params[1]));
            }
            return shim.success();
        default:
            return shim.error(`no function ${fcn}`);
        }
    }
}

const env = process.env;
const options = { ccid: env.CHAINCODE_ID, address: env.CHAINCODE_SERVER_ADDRESS };
if (env.CHAINCODE_TLS_KEY) {
    options.tlsProps = {
        key: fs.readFileSync(env.CHAINCODE_TLS_KEY),
        cert: fs.readFileSync(env.CHAINCODE_TLS_CERT),
        clientCACerts: fs.readFileSync(env.CHAINCODE_CLIENT_CA_CERT),
    };
}
shim.server(new Store(), options).start();

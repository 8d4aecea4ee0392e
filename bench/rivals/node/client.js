// SPDX-License-Identifier: Apache-2.0
// The official Node client under load: reads one job per line, answers one JSON object per line.
// A job is {"call": "evaluate"|"submit", "chaincode", "function", "args", "count", "lanes"}.
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const grpc = require('@grpc/grpc-js');
const { connect, hash, signers } = require('@hyperledger/fabric-gateway');

function open(file) {
    const profile = JSON.parse(fs.readFileSync(file));
    const read = (name) => fs.readFileSync(path.resolve(path.dirname(file), name));
    const user = profile.users.gateway;
    const client = new grpc.Client(
        profile.peer.address,
        grpc.credentials.createSsl(read(profile.peer.tls_ca)),
        { 'grpc.ssl_target_name_override': profile.peer.server_name },
    );
    const gateway = connect({
        client,
        identity: { mspId: profile.msp_id, credentials: read(user.certificate) },
        signer: signers.newPrivateKeySigner(crypto.createPrivateKey(read(user.key))),
        hash: hash.sha256,
    });
    return { client, gateway, network: gateway.getNetwork(profile.channel) };
}

async function run(network, job) {
    const contract = network.getContract(job.chaincode);
    let left = job.count;
    const lane = async (number) => {
        while (left-- > 0) {
            const args = job.args.map((each) => each.replace('#', `${number}-${left}`));
            if (job.call === 'evaluate') {
                await contract.evaluateTransaction(job.function, ...args);
            } else {
                await contract.submitTransaction(job.function, ...args);
            }
        }
    };
    const used = process.cpuUsage();
    const start = process.hrtime.bigint();
    await Promise.all(Array.from({ length: job.lanes }, (_, number) => lane(number)));
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    const cpu = process.cpuUsage(used);
    return { count: job.count, seconds, cpu_us: cpu.user + cpu.system };
}

async function main() {
    const { client, gateway, network } = open(process.argv[2]);
    for await (const line of readline.createInterface({ input: process.stdin })) {
        process.stdout.write(`${JSON.stringify(await run(network, JSON.parse(line)))}\n`);
    }
    gateway.close();
    client.close();
}

main();

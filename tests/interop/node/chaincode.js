// SPDX-License-Identifier: Apache-2.0
// The contract under test on the official Node shim: carries out scripts, as its siblings do.
// Served by the shim's own command, `fabric-chaincode-node server`.
'use strict';

const crypto = require('crypto');
const { Contract } = require('fabric-contract-api');
const { KeyEndorsementPolicy } = require('fabric-shim');

const text = (value) => (value && value.length ? Buffer.from(value).toString() : null);
const hex = (value) => (value && value.length ? Buffer.from(value).toString('hex') : null);

// All that an iterator of the shim holds, in order.
async function all(iterator) {
    const found = [];
    for await (const each of iterator) {
        found.push(each);
    }
    return found;
}

function policy(organizations) {
    if (!organizations.length) {
        return Buffer.alloc(0);
    }
    const made = new KeyEndorsementPolicy();
    made.addOrgs('PEER', ...organizations);
    return made.getPolicy();
}

const split = (stub, key) => {
    const { objectType, attributes } = stub.splitCompositeKey(key);
    return [objectType, attributes];
};

const steps = {
    get: async ({ stub }, key) => text(await stub.getState(key)),
    put: ({ stub }, key, value) => stub.putState(key, Buffer.from(value)),
    random: ({ stub }, key) => stub.putState(key, crypto.randomBytes(8)),
    delete: ({ stub }, key) => stub.deleteState(key),
    range: async ({ stub }, start, end) =>
        (await all(stub.getStateByRange(start, end))).map((each) => [each.key, text(each.value)]),
    page: async ({ stub }, start, end, size, bookmark) => {
        const { iterator, metadata } =
            await stub.getStateByRangeWithPagination(start, end, size, bookmark);
        const keys = [];
        for (let next = await iterator.next(); ; next = await iterator.next()) {
            if (next.value) {
                keys.push(next.value.key);
            }
            if (next.done) {
                break;
            }
        }
        await iterator.close();
        return [keys, metadata.bookmark];
    },
    composite_put: ({ stub }, kind, parts, value) =>
        stub.putState(stub.createCompositeKey(kind, parts), Buffer.from(value)),
    composite: async ({ stub }, kind, parts) =>
        (await all(stub.getStateByPartialCompositeKey(kind, parts)))
            .map((each) => [...split(stub, each.key), text(each.value)]),
    history: async ({ stub }, key) =>
        (await all(stub.getHistoryForKey(key)))
            .map((each) => [each.txId, each.isDelete ? null : text(each.value)]),
    set_policy: ({ stub }, key, organizations) =>
        stub.setStateValidationParameter(key, policy(organizations)),
    get_policy: async ({ stub }, key) => {
        const found = await stub.getStateValidationParameter(key);
        return found && found.length ? new KeyEndorsementPolicy(found).listOrgs().sort() : null;
    },
    private_put: ({ stub }, collection, key, name) =>
        stub.putPrivateData(collection, key, stub.getTransient().get(name)),
    private_get: async ({ stub }, collection, key) =>
        text(await stub.getPrivateData(collection, key)),
    private_hash: async ({ stub }, collection, key) =>
        hex(await stub.getPrivateDataHash(collection, key)),
    private_delete: ({ stub }, collection, key) => stub.deletePrivateData(collection, key),
    private_purge: ({ stub }, collection, key) => stub.purgePrivateData(collection, key),
    private_range: async ({ stub }, collection, start, end) =>
        (await all(stub.getPrivateDataByRange(collection, start, end)))
            .map((each) => [each.key, text(each.value)]),
    private_set_policy: ({ stub }, collection, key, organizations) =>
        stub.setPrivateDataValidationParameter(collection, key, policy(organizations)),
    event: ({ stub }, name, payload) => stub.setEvent(name, Buffer.from(payload)),
    transient: ({ stub }, name) => text(stub.getTransient().get(name)),
    fail: (context, message) => {
        throw new Error(`failed: ${message}`);
    },
    call: async ({ stub }, chaincode, ...parameters) => {
        const answer = await stub.invokeChaincode(chaincode, parameters, '');
        if (answer.status >= 400) {
            throw new Error(answer.message);
        }
        return text(answer.payload);
    },
    transaction: ({ stub }) => {
        const { seconds, nanos } = stub.getTxTimestamp();
        const time = BigInt(seconds.toString()) * 1000000000n + BigInt(nanos);
        return [stub.getTxID(), stub.getChannelID(), time.toString()];
    },
    caller: ({ clientIdentity }) => [clientIdentity.getMSPID(), clientIdentity.getID()],
};

class Script extends Contract {
    constructor() {
        super('script');
    }

    async Run(context, script) {
        const answers = [];
        for (const [name, ...rest] of JSON.parse(script)) {
            const answer = await steps[name](context, ...rest);
            answers.push(answer === undefined || answer instanceof Uint8Array ? null : answer);
        }
        return JSON.stringify(answers);
    }

    // The contract API turns arguments into text; the stub still has the bytes.
    async Echo({ stub }) {
        return Buffer.from(stub.getBufferArgs()[1]).toString('hex');
    }
}

class Second extends Contract {
    constructor() {
        super('second');
    }

    async NameOf() {
        return this.getName();
    }
}

// Gone with whoever started us.
process.stdin.resume().on('end', () => process.exit(0));

exports.contracts = [Script, Second];

// SPDX-License-Identifier: Apache-2.0
// The official Node client, told what to do by lines of JSON: {id, do, ...} -> {id, value | error}.
// Bytes travel as base64.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const grpc = require('@grpc/grpc-js');
const gateway = require('@hyperledger/fabric-gateway');
const { StatusCode } = gateway;

const MAXIMUM = 100 * 1024 * 1024;
const gateways = new Map();
const streams = new Map();
const codes = Object.fromEntries(Object.entries(StatusCode).map(([name, code]) => [code, name]));
const statuses = Object.fromEntries(Object.entries(grpc.status).map(([name, code]) => [code, name]));

const pack = (bytes) => Buffer.from(bytes).toString('base64');
const unpack = (data) => Buffer.from(data, 'base64');
const soon = (seconds) => () => ({ deadline: Date.now() + 1000 * seconds });

// A gateway for a user of a profile; without `signs` its key stays unread.
function open({ profile, user, signs }) {
    const folder = path.dirname(profile);
    const known = JSON.parse(fs.readFileSync(profile));
    const read = (name) => fs.readFileSync(path.resolve(folder, name));
    const client = new grpc.Client(
        known.peer.address,
        grpc.credentials.createSsl(read(known.peer.tls_ca)),
        {
            'grpc.ssl_target_name_override': known.peer.server_name,
            'grpc.max_receive_message_length': MAXIMUM,
            'grpc.max_send_message_length': MAXIMUM,
        },
    );
    const { certificate, key } = known.users[user];
    const held = signs ? crypto.createPrivateKey(read(key)) : undefined;
    const connected = gateway.connect({
        client,
        identity: { mspId: known.msp_id, credentials: read(certificate) },
        signer: held && gateway.signers.newPrivateKeySigner(held),
        // Ed25519 signs messages, not digests.
        hash: held?.asymmetricKeyType === 'ed25519' ? gateway.hash.none : undefined,
        evaluateOptions: soon(30),
        endorseOptions: soon(60),
        submitOptions: soon(30),
        commitStatusOptions: soon(60),
    });
    const id = String(gateways.size);
    gateways.set(id, { connected, client, network: connected.getNetwork(known.channel) });
    return id;
}

const of = ({ gateway: id }) => gateways.get(id);

function contract(request) {
    const network = request.channel
        ? of(request).connected.getNetwork(request.channel)
        : of(request).network;
    return network.getContract(request.chaincode, request.contract ?? undefined);
}

const options = ({ args, transient, organizations }) => ({
    arguments: args.map(unpack),
    transientData: Object.fromEntries(
        Object.entries(transient).map(([name, value]) => [name, unpack(value)])),
    endorsingOrganizations: organizations.length ? organizations : undefined,
});

const until = ({ deadline }) =>
    (deadline === null || deadline === undefined ? undefined : soon(deadline)());

const step = (signable, result) => ({
    bytes: pack(signable.getBytes()),
    digest: pack(signable.getDigest()),
    transaction_id: signable.getTransactionId ? signable.getTransactionId() : '',
    result: result === undefined ? '' : pack(result),
});

const outcome = ({ blockNumber, code, successful, transactionId }) => ({
    block_number: Number(blockNumber),
    code: codes[code],
    successful,
    transaction_id: transactionId,
});

// What was written down, signed or not.
function taken(request, kind) {
    const { connected } = of(request);
    const bytes = unpack(request.bytes);
    return request.signature
        ? connected[`newSigned${kind}`](bytes, unpack(request.signature))
        : connected[`new${kind}`](bytes);
}

const EVENTS = {
    chaincode: 'ChaincodeEvents',
    block: 'BlockEvents',
    filtered: 'FilteredBlockEvents',
    private: 'BlockAndPrivateDataEvents',
};

async function eventOptions({ start, checkpoint, file }) {
    const made = {};
    if (start !== null) {
        made.startBlock = BigInt(start);
    }
    if (checkpoint) {
        made.checkpoint = {
            getBlockNumber: () => BigInt(checkpoint[0]),
            getTransactionId: () => checkpoint[1] || undefined,
        };
    }
    if (file) {
        made.checkpoint = await gateway.checkpointers.file(file);
    }
    return made;
}

async function eventsRequest(request) {
    const { network } = of(request);
    const build = `new${EVENTS[request.kind]}Request`;
    const given = await eventOptions(request);
    return request.kind === 'chaincode'
        ? network[build](request.chaincode, given)
        : network[build](given);
}

async function listen(request, signable) {
    const id = String(streams.size);
    const stream = await signable.getEvents();
    streams.set(id, { kind: request.kind, stream, iterator: stream[Symbol.asyncIterator]() });
    return id;
}

const told = (kind, value) => (kind === 'chaincode'
    ? {
        block_number: Number(value.blockNumber),
        transaction_id: value.transactionId,
        chaincode: value.chaincodeName,
        name: value.eventName,
        payload: pack(value.payload),
    }
    : pack(value.serializeBinary()));

const actions = {
    open: async (request) => open(request),
    close: async (request) => {
        of(request).connected.close();
        of(request).client.close();
    },
    evaluate: async (request) =>
        pack(await contract(request).newProposal(request.function, options(request))
            .evaluate(until(request))),
    submit: async (request) =>
        pack(await contract(request).submit(request.function, options(request))),
    submit_async: async (request) => {
        const sent = await contract(request).submitAsync(request.function, options(request));
        return step(sent, sent.getResult());
    },
    propose: async (request) =>
        step(contract(request).newProposal(request.function, options(request))),
    evaluate_proposal: async (request) => pack(await taken(request, 'Proposal').evaluate()),
    endorse: async (request) => {
        const transaction = await taken(request, 'Proposal').endorse(until(request));
        return step(transaction, transaction.getResult());
    },
    order: async (request) => step(await taken(request, 'Transaction').submit()),
    status: async (request) => outcome(await taken(request, 'Commit').getStatus(until(request))),
    events_request: async (request) => step(await eventsRequest(request)),
    events: async (request) => listen(request, await eventsRequest(request)),
    events_signed: async (request) =>
        listen(request, taken(request, `${EVENTS[request.kind]}Request`)),
    next: async ({ stream: id }) => {
        const { kind, iterator } = streams.get(id);
        const { done, value } = await iterator.next();
        return done ? null : told(kind, value);
    },
    stop: async ({ stream: id }) => streams.get(id).stream.close(),
    checkpoint: async ({ file, event }) => {
        const checkpointer = await gateway.checkpointers.file(file);
        await checkpointer.checkpointTransaction(BigInt(event[0]), event[1]);
    },
};

const described = (error) => ({
    kind: error.constructor.name,
    code: error instanceof gateway.CommitError ? codes[error.code] : statuses[error.code] ?? '',
    message: error.cause?.details ?? error.message,
    details: (error.details ?? []).map((each) => [each.address, each.mspId, each.message]),
    transaction_id: error.transactionId ?? '',
});

async function answer(line) {
    const { id, do: action, ...request } = JSON.parse(line);
    try {
        return { id, value: (await actions[action](request)) ?? null };
    } catch (error) {
        return { id, error: described(error) };
    }
}

readline.createInterface({ input: process.stdin })
    .on('line', async (line) => process.stdout.write(`${JSON.stringify(await answer(line))}\n`))
    .on('close', () => process.exit(0));

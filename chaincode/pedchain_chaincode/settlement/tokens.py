# SPDX-License-Identifier: Apache-2.0
"""Contract `tokens`: accounts, money and energy tokens (blueprint 6, rules K1, K12; ERC-1155).

Accounts, amounts and signed debits come in the transient map with `salt` (16 bytes) and stay in the
collection; responses of submits hold nothing, and an event says only that something moved.
"""

from pedchain_chaincode import access
from pedchain_chaincode.documents import load, read, read_array, refusals, save
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.settlement import (
    accounts,
    book,
    forgetting,
    guards,
    keys,
    limits,
    moving,
    outcome,
    rows,
)
from pedchain_chaincode.settlement import setup as agreed
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.clock import now
from pedchain_domain import canonical, text
from pedchain_domain.market import tokenid
from pedchain_fabric.shim import Context, Contract, Refusal, evaluate, submit

CONTRACT = accounts.CONTRACT
MOVED = b"{}"
"""Payload of events: who moved what stands in the collection."""


class TokensContract(Contract):
    """One money token, and an energy token for every product and producer."""

    name = CONTRACT

    @submit
    @guarded("begun")
    async def begin(self, ctx: Context, document: bytes) -> None:
        """Begin settlement as the consortium agreed: settlement/1, once."""
        access.require(ctx, "begin")
        if await guards.begun(ctx) is not None:
            raise Refusal("already-registered")
        found = read(document)
        agreed.check(found)
        await save(ctx.stub, keys.setup(ctx.stub), found)
        await book.create(ctx)

    @submit
    @guarded("unregistered")
    async def register_prosumer(self, ctx: Context) -> None:
        """Register transient `account` and mint what transient `receipt` proves was paid in."""
        opened = await guards.opened(ctx, "register_prosumer")
        body = accounts.requested(ctx.stub.transient.get("account", b""), opened.domain(CONTRACT))
        if await guards.unregistered(opened, body["id"]) is not None:
            raise Refusal("already-registered")
        await accounts.register(opened, body)
        await accounts.deposit(opened, ctx.stub.transient.get("receipt", b""), body["id"])

    @submit
    @guarded("opened")
    async def deposit(self, ctx: Context) -> None:
        """Mint what another transient `receipt` proves was paid in."""
        opened = await guards.opened(ctx, "deposit")
        await accounts.deposit(opened, ctx.stub.transient.get("receipt", b""))

    @submit
    @guarded("account")
    async def safe_transfer_from(self, ctx: Context) -> None:
        """Move one energy token by transient `debit` {from, to, tokens: [one], quantities}."""
        opened = await guards.opened(ctx, "safe_transfer_from")
        spent = await guards.account(opened, CONTRACT, "safe-transfer-from")
        asked = moving.transfer_of(spent.debit.body)
        if len(asked.tokens) != 1:
            raise Refusal("lengths-differ")
        await moving.transfer(opened, asked, spent.debit.account)
        await spent.done()
        await ctx.stub.set_event("TransferSingle", MOVED)

    @submit
    @guarded("account")
    async def safe_batch_transfer_from(self, ctx: Context) -> None:
        """Move energy tokens by transient `debit` {from, to, tokens, quantities}: all or none."""
        opened = await guards.opened(ctx, "safe_batch_transfer_from")
        spent = await guards.account(opened, CONTRACT, "safe-batch-transfer-from")
        await moving.transfer(opened, moving.transfer_of(spent.debit.body), spent.debit.account)
        await spent.done()
        await ctx.stub.set_event("TransferBatch", MOVED)

    @submit
    @guarded("account")
    async def set_approval_for_all(self, ctx: Context) -> None:
        """Let an operator move all energy tokens, or no longer, by transient `debit`
        {operator, approved}."""
        opened = await guards.opened(ctx, "set_approval_for_all")
        spent = await guards.account(opened, CONTRACT, "set-approval-for-all")
        await moving.approve(spent)
        await spent.done()
        await ctx.stub.set_event("ApprovalForAll", MOVED)

    @submit
    @guarded("account")
    async def fold(self, ctx: Context) -> None:
        """Make credits spendable by transient `debit` {credits: [id]}."""
        opened = await guards.opened(ctx, "fold")
        spent = await guards.account(opened, CONTRACT, "fold")
        await moving.fold(spent)
        await spent.done()

    @submit
    @guarded("account")
    async def redeem(self, ctx: Context) -> None:
        """Give money back to be paid out at par, by transient `debit` {amount}."""
        opened = await guards.opened(ctx, "redeem")
        spent = await guards.account(opened, CONTRACT, "redeem")
        await moving.redeem(spent, await now(ctx, opened.setup))
        await spent.done()

    @submit
    @guarded("account")
    async def set_limit(self, ctx: Context) -> None:
        """Set the most an account's open deposits may sum to, by transient `debit` {limit}."""
        opened = await guards.opened(ctx, "set_limit")
        spent = await guards.account(opened, CONTRACT, "set-limit")
        await spent.done(limit=moving.limit_of(spent.debit.body))

    @submit
    @guarded("account")
    async def rotate(self, ctx: Context) -> None:
        """Put another key in the account key's place, by transient `debit` {key, possession}."""
        opened = await guards.opened(ctx, "rotate")
        spent = await guards.account(opened, CONTRACT, "rotate")
        await spent.done(key=accounts.rotated(spent))

    @submit
    @guarded("permitted", "ticks")
    async def begin_period(self, ctx: Context) -> None:
        """Begin another period of debits, four weeks after the last at the earliest."""
        setup = await guards.permitted(ctx, "begin_period")
        await guards.ticks(ctx, setup.organizations)
        found = forgetting.next_period(await guards.begun(ctx) or {}, await now(ctx, setup))
        await save(ctx.stub, keys.setup(ctx.stub), found)

    @submit
    @guarded("opened")
    async def purge_debits(self, ctx: Context, period: int, transactions: bytes) -> None:
        """Purge debits of a period, [transaction id], once their retention is over."""
        opened = await guards.opened(ctx, "purge_debits")
        named = _named(transactions)
        await forgetting.debits(opened, period, named, await now(ctx, opened.setup))

    @evaluate
    async def list_debits(self, ctx: Context, period: int, after: str) -> bytes:
        """Transactions whose debits are kept of a period, a page behind `after` (members of the
        collection only)."""
        return canonical.encode(await forgetting.debits_kept(ctx.stub, period, after))

    @evaluate
    async def balance_of(self, ctx: Context, account: str, token: str) -> bytes:
        """What an account can spend of a token now (members of the collection only)."""
        return canonical.encode((await _balances(ctx, [account], [token]))[0])

    @evaluate
    async def balance_of_batch(self, ctx: Context, asked: bytes) -> bytes:
        """Balances of [{account, token}], in their order (members only)."""
        pairs = read_array(asked, limits.BATCH_TOKENS)
        if any(sorted(pair) != ["account", "token"] for pair in pairs):
            raise Refusal("malformed-document")
        names, tokens = ([str(pair[part]) for pair in pairs] for part in ("account", "token"))
        return canonical.encode(await _balances(ctx, names, tokens))

    @evaluate
    async def list_payouts(self, ctx: Context, account: str, after: str) -> bytes:
        """What an account gave back to be paid out, a page by id: {id: {amount, at}}, `at` by the
        ledger's clock (members of the collection only)."""
        return await _page(ctx, rows.PAYOUT, account, after)

    @evaluate
    async def list_holdings(self, ctx: Context, account: str, after: str) -> bytes:
        """What an account can spend, a page by row (members only)."""
        return await _page(ctx, rows.ROW, account, after)

    @evaluate
    async def list_credits(self, ctx: Context, account: str, after: str) -> bytes:
        """What waits to be folded by the account, a page by id (members only)."""
        return await _page(ctx, rows.CREDIT, account, after)

    @evaluate
    async def is_approved_for_all(self, ctx: Context, account: str, operator: str) -> bytes:
        """Whether an operator may move an account's energy tokens (members only)."""
        found = await (await _look(ctx)).load("approval", _id(account), _id(operator))
        return canonical.encode(found is not None and found["approved"])

    @evaluate
    async def total_supply(self, ctx: Context, token: str, after: str) -> bytes:
        """What was minted of a token less what was burnt, a page of {id: {amount}} to add up
        (members only); once a promise's session is cleared, what stands of it in one."""
        opened = await _look(ctx)
        with refusals():
            number = tokenid.from_hex(token)
        stands = None
        if number != tokenid.MONEY:
            stands = await outcome.supply(opened, tokenid.product_of(number))
        if stands is not None:
            return canonical.encode({} if after else {"session": {"amount": stands}})
        owner = opened.tag("supply", number)
        return canonical.encode(await rows.page(opened, rows.SUPPLY, owner, after))

    @evaluate
    async def get_account(self, ctx: Context, account: str) -> bytes:
        """An account with the counter of its last debit (members only)."""
        found = await (await _look(ctx)).load("account", _id(account))
        if found is None:
            raise Refusal("unknown-account")
        return canonical.encode(found)

    @evaluate
    async def get_setup(self, ctx: Context) -> bytes:
        """What the consortium agreed about settlement."""
        found = await load(ctx.stub, keys.setup(ctx.stub))
        if found is None:
            raise Refusal("not-begun")
        return canonical.encode(found)

    @evaluate
    async def name_of(self, ctx: Context, token: str) -> bytes:
        """What a token is, for people."""
        with refusals():
            return canonical.encode(tokenid.name_of(tokenid.from_hex(token)))


async def _look(ctx: Context) -> Book:
    return await Book.read(ctx, await guards.setup(ctx))


async def _page(ctx: Context, kind: str, account: str, after: str) -> bytes:
    opened = await _look(ctx)
    return canonical.encode(await rows.page(opened, kind, opened.tag(_id(account)), after))


async def _balances(ctx: Context, accounts_: list[str], tokens: list[str]) -> list[int]:
    opened = await _look(ctx)
    with refusals():
        wanted = [tokenid.from_hex(token) for token in tokens]
    return [
        await rows.spendable(opened, _id(account), token)
        for account, token in zip(accounts_, wanted, strict=True)
    ]


def _id(name: str) -> str:
    with refusals():
        return canonical.check_id(name)


def _named(transactions: bytes) -> list[str]:
    with refusals():
        found = canonical.decode(transactions)
    if not isinstance(found, list) or not 0 < len(found) <= limits.PAGE:
        raise Refusal("malformed-document", "transactions")
    if not all(isinstance(one, str) and text.is_id(one, limits.IDENTIFIER) for one in found):
        raise Refusal("malformed-id")
    return [str(one) for one in found]

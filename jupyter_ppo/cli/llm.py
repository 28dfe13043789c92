"""``jupyter ppo llm``."""

from __future__ import annotations

import argparse

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.tutoring import PICO, Purpose
from jupyter_ppo.services.model_call_log import MAX_DAYS


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    llm = commands.add_parser("llm", help="the language model of this server, and what it costs")
    verbs = llm.add_subparsers(metavar="verb", required=True)
    check = verbs.add_parser("check", help="ask the model for one word, and say what it answers")
    check.set_defaults(run=_check)
    calls = verbs.add_parser("calls", help="list what was asked in a course, newest first")
    calls.add_argument("course", help="the course's name, as 'jupyter ppo course list' shows it")
    calls.add_argument("--assignment", help="only this assignment")
    calls.add_argument("--purpose", choices=[each.value for each in Purpose], help="only these")
    calls.add_argument("--user", help="only calls about this person's text")
    calls.add_argument("--limit", type=int, default=50, help="at most so many; default: 50")
    calls.set_defaults(run=_calls)
    spend = verbs.add_parser("spend", help="say what a course spent, by day and by assignment")
    spend.add_argument("course", help="the course's name")
    spend.add_argument("--days", type=int, default=30, help=f"1 to {MAX_DAYS}; default: 30")
    spend.set_defaults(run=_spend)


def _check(_: argparse.Namespace, context: Context) -> int:
    tutor = context.service.use_cases.tutor
    status = tutor.status(context.caller)
    if not status.available:
        print(status.message)
        return 1
    answer = tutor.check(context.caller)
    print(f"{visible(answer.model)} at {status.host} answered in {answer.latency_ms} ms")
    usage = answer.usage
    counted = "estimated, the service does not count" if usage.is_estimated else "counted"
    print(f"tokens: {usage.input} read, {usage.output} written ({counted})")
    if not context.service.gate.has_price:
        print("no price: llm_prices has none for this model, so no cap holds for it")
    return 0


def _calls(arguments: argparse.Namespace, context: Context) -> int:
    log = context.service.use_cases.model_calls
    page = log.calls(
        context.caller,
        arguments.course,
        assignment=arguments.assignment,
        purpose=None if arguments.purpose is None else Purpose(arguments.purpose),
        user=arguments.user,
        limit=arguments.limit,
    )
    for view in page.items:
        call, new = view.call, view.call.new
        tokens = "-" if call.usage is None else f"{call.usage.input}+{call.usage.output}"
        print(
            f"{call.at:%Y-%m-%d %H:%M:%S}  {new.id}  {new.purpose:<11}  {call.state:<9}  "
            f"{visible(new.user)}  {visible(view.assignment or '-')}  {tokens} tokens  "
            f"{_money(call.cost, log.currency)}  {call.latency_ms} ms"
        )
    print(f"{len(page.items)} of {page.total} calls")
    return 0


def _spend(arguments: argparse.Namespace, context: Context) -> int:
    log = context.service.use_cases.model_calls
    spending = log.spending(context.caller, arguments.course, days=arguments.days)
    for day in spending.days:
        if day.calls:
            print(f"{day.day}  {day.calls:>6} calls  {_money(day.cost, log.currency)}")
    for each in spending.by_assignment:
        name = visible(each.assignment or "no assignment")
        print(f"{name}  {each.calls:>6} calls  {_money(each.cost, log.currency)}")
    spent, cap = spending.spent_course, spending.caps.course
    print(f"{_money(spent, log.currency)} of {_money(cap, log.currency)} are spent or reserved")
    if not spending.has_price:
        print("no price: llm_prices has none for this model, so no cap holds for it")
    return 0


def _money(pico: int, currency: str) -> str:
    return f"{pico / PICO:.6f} {currency}"

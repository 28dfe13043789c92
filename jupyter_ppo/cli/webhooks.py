"""``jupyter ppo webhook``: addresses that are told of what happens in a course."""

from __future__ import annotations

import argparse
from uuid import UUID

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.webhooks import (
    DEFAULT_OVERLAP_HOURS,
    SUBSCRIBABLE,
    Delivery,
    DeliveryState,
    Webhook,
    WebhookEvent,
)
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.services.webhooks import MadeWebhook

_PAGE = 200
_LATEST = 20


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    webhook = commands.add_parser("webhook", help="addresses that are told of a course, signed")
    verbs = webhook.add_subparsers(metavar="verb", required=True)

    create = verbs.add_parser("create", help="register one; its secret is printed this once")
    create.add_argument("course")
    create.add_argument("name", help="who is told")
    create.add_argument("url", help="https://...")
    create.add_argument(
        "--event",
        action="append",
        dest="events",
        choices=[str(each) for each in SUBSCRIBABLE],
        help="what of; more than once for several, all if left out",
    )
    create.set_defaults(run=_create)

    listed = verbs.add_parser("list", help="those of a course")
    listed.add_argument("course")
    listed.set_defaults(run=_list)

    for name, words, run in (
        ("show", "one of them", _show),
        ("test", "send a ping; a running server sends it", _test),
        ("delete", "delete one, with everything that it was and is to be told", _delete),
    ):
        verb = verbs.add_parser(name, help=words)
        _add_webhook(verb)
        verb.set_defaults(run=run)

    rotate = verbs.add_parser("rotate", help="give one a new secret")
    _add_webhook(rotate)
    rotate.add_argument(
        "--overlap-hours",
        type=float,
        default=DEFAULT_OVERLAP_HOURS,
        help="how long the old one signs as well (%(default)s)",
    )
    rotate.set_defaults(run=_rotate)

    deliveries = verbs.add_parser("deliveries", help="what one was and is to be told")
    _add_webhook(deliveries)
    deliveries.add_argument("--state", choices=[str(each) for each in DeliveryState])
    deliveries.add_argument(
        "--all", action="store_true", help=f"every one, not the newest {_LATEST}"
    )
    deliveries.set_defaults(run=_deliveries)

    replay = verbs.add_parser("replay", help="send a message again; a running server sends it")
    replay.add_argument("course")
    replay.add_argument("id", help="the id of the delivery")
    replay.set_defaults(run=_replay)


def _add_webhook(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("course")
    parser.add_argument("id")


def _create(arguments: argparse.Namespace, context: Context) -> int:
    made = context.service.use_cases.webhooks.create(
        context.caller,
        arguments.course,
        arguments.name,
        arguments.url,
        [WebhookEvent(each) for each in arguments.events or SUBSCRIBABLE],
    )
    _print_made(made)
    return 0


def _list(arguments: argparse.Namespace, context: Context) -> int:
    webhooks, caller, course = context.service.use_cases.webhooks, context.caller, arguments.course
    for webhook in every_page(
        lambda offset: webhooks.of_course(caller, course, offset=offset, limit=_PAGE)
    ):
        _print(webhook)
    return 0


def _show(arguments: argparse.Namespace, context: Context) -> int:
    webhooks = context.service.use_cases.webhooks
    _print(webhooks.webhook(context.caller, arguments.course, _id(arguments.id)))
    return 0


def _rotate(arguments: argparse.Namespace, context: Context) -> int:
    webhooks = context.service.use_cases.webhooks
    wanted, hours = _id(arguments.id), arguments.overlap_hours
    _print_made(webhooks.rotate(context.caller, arguments.course, wanted, hours))
    return 0


def _test(arguments: argparse.Namespace, context: Context) -> int:
    webhooks = context.service.use_cases.webhooks
    _print_delivery(webhooks.test(context.caller, arguments.course, _id(arguments.id)))
    return 0


def _delete(arguments: argparse.Namespace, context: Context) -> int:
    webhooks = context.service.use_cases.webhooks
    deleted = webhooks.delete(context.caller, arguments.course, _id(arguments.id))
    print(f"{deleted.id}  {visible(deleted.name)}  deleted")
    return 0


def _deliveries(arguments: argparse.Namespace, context: Context) -> int:
    webhooks, caller, course = context.service.use_cases.webhooks, context.caller, arguments.course
    wanted = _id(arguments.id)
    state = None if arguments.state is None else DeliveryState(arguments.state)
    if arguments.all:
        found = every_page(
            lambda offset: webhooks.deliveries(
                caller, course, wanted, state=state, offset=offset, limit=_PAGE
            )
        )
    else:
        page = webhooks.deliveries(caller, course, wanted, state=state, offset=0, limit=_LATEST)
        found = iter(page.items)
    for delivery in found:
        _print_delivery(delivery)
    return 0


def _replay(arguments: argparse.Namespace, context: Context) -> int:
    webhooks = context.service.use_cases.webhooks
    _print_delivery(webhooks.replay(context.caller, arguments.course, _id(arguments.id)))
    return 0


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        msg = f"id: {text[:40]!r} is no id. Use one that 'jupyter ppo webhook list' shows."
        raise InvalidInputError(msg, field="id") from None


def _print_made(made: MadeWebhook) -> None:
    _print(made.webhook)
    print(made.secret)
    print("Give it to the receiver, and keep it as you keep a password: it is not shown again.")


def _print(webhook: Webhook) -> None:
    state = "active" if webhook.is_active else "stopped"
    events = ",".join(webhook.events)
    print(f"{webhook.id}  {state}  {webhook.url}  {events}  {visible(webhook.name)}")


def _print_delivery(delivery: Delivery) -> None:
    words = [
        str(delivery.id),
        f"{delivery.created_at:%Y-%m-%d %H:%M}",
        str(delivery.event),
        str(delivery.state),
        f"{delivery.tries} tries",
    ]
    if delivery.status is not None:
        words.append(str(delivery.status))
    if delivery.reason:
        words.append(delivery.reason)
    print("  ".join(words))

"""``jupyter ppo image build | status | prune``."""

from __future__ import annotations

import argparse

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import build_image, image_present, image_tag
from jupyter_ppo.sandbox.image_prune import prune_images

#: Between two lines of a build; writing a layer of PyTorch is silent for minutes on a slow disk.
_BUILD_SECONDS = 900.0


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    image = commands.add_parser("image", help="build the image that submitted code runs in")
    verbs = image.add_subparsers(metavar="verb", required=True)
    build = verbs.add_parser("build", help="build the sandbox image unless it is up to date")
    build.add_argument(
        "--base-image",
        help="an image with Python 3.11 or newer; default: an official slim image, or, where no "
        "registry answers, one built from Debian packages",
    )
    build.set_defaults(run=_build)
    status = verbs.add_parser("status", help="say whether the sandbox image is built")
    status.set_defaults(run=_status)
    prune = verbs.add_parser(
        "prune", help="remove the sandbox images that this version does not need"
    )
    prune.set_defaults(run=_prune)


def _build(arguments: argparse.Namespace, _: Context) -> int:
    with Engine.connect(timeout=_BUILD_SECONDS) as engine:
        tag = build_image(engine, base_image=arguments.base_image, report=print)
    print(f"image {tag} is ready")
    return 0


def _status(_: argparse.Namespace, __: Context) -> int:
    with Engine.connect() as engine:
        if image_present(engine):
            print(f"image {image_tag()} is ready ({engine.version()})")
            return 0
    print(f"image {image_tag()} is not built: run 'jupyter ppo image build'")
    return 1


def _prune(_: argparse.Namespace, __: Context) -> int:
    with Engine.connect() as engine:
        removed = prune_images(engine, report=print)
    print(f"{removed} removed")
    return 0

"""Settings to objects: the only place that knows every class of the service.

The server extension and the command line build the same ``Service`` here.
"""

from jupyter_ppo.wiring.service import Service
from jupyter_ppo.wiring.settings import PPOService

__all__ = ["PPOService", "Service"]

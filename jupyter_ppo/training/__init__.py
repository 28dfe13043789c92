"""PPO runs in a process of their own. Importing this package does not import torch."""

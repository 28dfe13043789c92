"""Every implementation detail of PPO behind one switch, and what each of them does.

1. ``config``: ``AblationConfig``, a field for each detail; the defaults are PPO as Huang et al.
   2022 found it in the official code. ``DETAIL_FLAGS`` says which field belongs to which detail.
2. ``batch_task``, ``control_tasks``, ``puzzle_tasks``, ``games`` and ``frame_task``: small
   environments in which a detail can matter, N copies at once.
3. ``distributions``, ``networks`` and ``normalization``: what an agent is made of.
4. ``rollout``, ``minibatches``, ``loss`` and ``trainer``: PPO that honours the switches.
5. ``measurements``, ``experiments`` and ``running``: the table from details to experiments, and
   ``run_ablation(key, seeds)``.

This PPO is slower than the one in ``training.teaching`` and not meant for training anything else.
"""

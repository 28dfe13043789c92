"""Answers to the exercises of 06-rollouts: right ones, mistakes of learners, harmless mutants."""

from __future__ import annotations

#: Correct solutions, each written in another way.
VARIANTS: dict[str, dict[str, str]] = {
    "make_vec": {
        "a list of lambdas": """
            def make_vec(env_id, n_envs, seed):
                makers = [lambda: gym.make(env_id) for _ in range(n_envs)]
                envs = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
                envs.reset(seed=seed)
                return envs
        """,
        "with gym.make_vec": """
            def make_vec(env_id, n_envs, seed):
                envs = gym.make_vec(env_id, num_envs=n_envs, vectorization_mode="sync",
                    vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP})
                envs.reset(seed=seed)
                return envs
        """,
        "a list of seeds": """
            from functools import partial
            def make_vec(env_id, n_envs, seed):
                makers = [partial(gym.make, env_id)] * n_envs
                envs = SyncVectorEnv(makers, autoreset_mode="SameStep")
                envs.reset(seed=[seed + n for n in range(n_envs)])
                return envs
        """,
        "each copy seeded by itself": """
            def make_vec(env_id, n_envs, seed):
                envs = SyncVectorEnv([lambda: gym.make(env_id)] * n_envs,
                    autoreset_mode=AutoresetMode.SAME_STEP)
                for n, env in enumerate(envs.envs):
                    env.reset(seed=seed + n)
                return envs
        """,
        "made before": """
            def make_vec(env_id, n_envs, seed):
                copies = [gym.make(env_id) for _ in range(n_envs)]
                envs = SyncVectorEnv([lambda env=env: env for env in copies],
                    autoreset_mode=AutoresetMode.SAME_STEP)
                observations, infos = envs.reset(seed=int(seed))
                envs.action_space.seed(seed)
                return envs
        """,
    },
    "count_phantoms": {
        "all but the last row": """
            def count_phantoms(dones, carried_done):
                if len(dones) == 0:
                    return 0
                return int(np.sum(dones[:-1]) + np.sum(carried_done))
        """,
        "step by step": """
            def count_phantoms(dones, carried_done):
                found, before = 0, carried_done
                for row in dones:
                    found += np.count_nonzero(before)
                    before = row
                return found
        """,
        "one at a time": """
            def count_phantoms(dones, carried_done):
                found = 0
                for n in range(dones.shape[1]):
                    ended = bool(carried_done[n])
                    for t in range(dones.shape[0]):
                        if ended:
                            found += 1
                        ended = bool(dones[t, n])
                return found
        """,
        "shifted": """
            def count_phantoms(dones, carried_done):
                before = np.zeros(dones.shape, dtype=bool)
                before[1:] = dones[:-1]
                before[:1] = carried_done
                return before.sum()
        """,
        "as lists": """
            def count_phantoms(dones, carried_done):
                rows = [list(carried_done), *map(list, dones)][: len(dones)]
                return sum(int(flag) for row in rows for flag in row)
        """,
    },
    "collect_rollout": {
        "arrays made first": """
            def collect_rollout(envs, act, n_steps, carry):
                obs, done = carry
                N, D = obs.shape
                R = {k: np.zeros((n_steps, N)) for k in ("log_probs", "values", "rewards", "dones")}
                R |= {k: np.zeros((n_steps, N), bool) for k in ("terminated", "truncated")}
                R["actions"] = np.zeros((n_steps, N), np.int64)
                for k in ("observations", "final_observations"):
                    R[k] = np.zeros((n_steps, N, D), np.float32)
                for t in range(n_steps):
                    R["observations"][t], R["dones"][t] = obs, done
                    R["actions"][t], R["log_probs"][t], R["values"][t] = act(obs)
                    obs, R["rewards"][t], end, cut, infos = envs.step(R["actions"][t])
                    R["terminated"][t], R["truncated"][t] = end, cut
                    done = np.maximum(end, cut).astype(np.float32)
                    if "final_obs" in infos:
                        for n in range(N):
                            if end[n] or cut[n]:
                                R["final_observations"][t, n] = infos["final_obs"][n]
                return R, (obs, done)
        """,
        "by the mask of infos": """
            from collections import defaultdict
            def collect_rollout(envs, act, n_steps, carry):
                obs, done = carry
                found = defaultdict(list)
                for _ in range(n_steps):
                    action, log_prob, value = act(obs)
                    after, reward, end, cut, infos = envs.step(action)
                    last = np.zeros(obs.shape)
                    if "_final_obs" in infos:
                        mask = infos["_final_obs"]
                        last[mask] = np.stack([infos["final_obs"][n] for n in np.where(mask)[0]])
                    for key, item in (("observations", obs), ("actions", action),
                        ("log_probs", log_prob), ("values", value), ("rewards", reward),
                        ("dones", done), ("terminated", end), ("truncated", cut),
                        ("final_observations", last)):
                        found[key].append(np.array(item))
                    obs, done = after, 1.0 * np.logical_or(end, cut)
                return {key: np.array(items) for key, items in found.items()}, (obs, done)
        """,
        "lists turned round": """
            def collect_rollout(envs, act, n_steps, carry):
                obs, done = carry
                rows = []
                for _ in range(n_steps):
                    a, l, v = act(obs)
                    nxt, r, te, tr, info = envs.step(a)
                    fin = np.stack([info["final_obs"][n] if te[n] or tr[n] else 0 * obs[n]
                                    for n in range(len(obs))])
                    rows.append((obs, a, l, v, r, done, te, tr, fin))
                    obs, done = nxt, np.where(te | tr, 1.0, 0.0)
                keys = ["observations", "actions", "log_probs", "values", "rewards", "dones",
                        "terminated", "truncated", "final_observations"]
                return dict(zip(keys, map(np.stack, zip(*rows)))), (obs, done)
        """,
        "dones computed afterwards": """
            def collect_rollout(envs, act, n_steps, carry):
                start, keys = carry[1], ("rewards", "terminated", "truncated")
                out = {k: [] for k in ("observations", "actions", "log_probs", "values", *keys,
                                       "final_observations")}
                obs = carry[0]
                while len(out["observations"]) < n_steps:
                    out["observations"].append(obs.copy())
                    for key, item in zip(("actions", "log_probs", "values"), act(obs)):
                        out[key].append(item)
                    obs, *rest, infos = envs.step(out["actions"][-1])
                    for key, item in zip(keys, rest):
                        out[key].append(item)
                    ended = (rest[1] | rest[2])[:, None]
                    last = np.zeros_like(obs)
                    if ended.any():
                        for n in range(len(last)):
                            last[n] = infos["final_obs"][n] if ended[n, 0] else 0.0
                    out["final_observations"].append(last)
                out = {key: np.array(item) for key, item in out.items()}
                ended = (out["terminated"] | out["truncated"]).astype(np.float32)
                out["dones"] = np.concatenate([start[None], ended[:-1]])
                return out, (obs, ended[-1])
        """,
        "by calling itself": """
            def collect_rollout(envs, act, n_steps, carry):
                obs, done = carry
                actions, log_probs, values = act(obs)
                after, rewards, end, cut, infos = envs.step(actions)
                final = np.zeros(obs.shape, dtype=obs.dtype)
                for n in np.nonzero(end | cut)[0]:
                    final[int(n)] = np.asarray(infos["final_obs"][int(n)])
                one = dict(observations=obs, actions=actions, log_probs=log_probs, values=values,
                    rewards=rewards, dones=done, terminated=end, truncated=cut,
                    final_observations=final)
                one = {key: np.asarray(item)[None] for key, item in one.items()}
                carry = after, (end | cut).astype(float)
                if n_steps == 1:
                    return one, carry
                rest, carry = collect_rollout(envs, act, n_steps - 1, carry)
                return {key: np.concatenate([one[key], rest[key]]) for key in one}, carry
        """,
    },
    "flatten_batch": {
        "minus one": """
            def flatten_batch(block):
                return block.reshape(-1, *block.shape[2:])
        """,
        "joined": """
            def flatten_batch(block):
                return np.concatenate(list(block))
        """,
        "one at a time": """
            def flatten_batch(block):
                rows = [block[t, n] for t in range(block.shape[0]) for n in range(block.shape[1])]
                return np.array(rows, dtype=block.dtype)
        """,
        "written into place": """
            def flatten_batch(block):
                T, N = block.shape[0], block.shape[1]
                batch = np.empty((T * N,) + block.shape[2:], block.dtype)
                for n in range(N):
                    batch[n::N] = block[:, n]
                return batch
        """,
        "in torch": """
            import torch
            def flatten_batch(block):
                return torch.tensor(np.ascontiguousarray(block)).flatten(0, 1).numpy()
        """,
        "picked": """
            def flatten_batch(block):
                row = np.arange(block.shape[0] * block.shape[1])
                return block[row // block.shape[1], row % block.shape[1]]
        """,
    },
    "minibatch_indices": {
        "rows of a table": """
            def minibatch_indices(rng, batch_size, minibatch_size):
                if batch_size % minibatch_size:
                    raise ValueError("sizes do not divide")
                return list(rng.permutation(batch_size).reshape(-1, minibatch_size))
        """,
        "shuffled in place": """
            def minibatch_indices(rng, batch_size, minibatch_size):
                n, rest = divmod(batch_size, minibatch_size)
                if rest:
                    raise ValueError(rest)
                order = np.arange(batch_size)
                rng.shuffle(order)
                return np.split(order, n)
        """,
        "by random keys": """
            def minibatch_indices(rng, batch_size, minibatch_size):
                parts = batch_size // minibatch_size
                if parts * minibatch_size != batch_size:
                    raise ValueError
                order = np.argsort(rng.random(batch_size))
                return [order[k * minibatch_size : (k + 1) * minibatch_size] for k in range(parts)]
        """,
        "drawn without replacement": """
            def minibatch_indices(rng, batch_size, minibatch_size):
                if batch_size % minibatch_size != 0:
                    raise ValueError("left over")
                order = rng.choice(batch_size, size=batch_size, replace=False)
                return np.array_split(order, batch_size // minibatch_size)
        """,
        "drawn from an urn": """
            def minibatch_indices(rng, batch_size, minibatch_size):
                if batch_size % minibatch_size != 0:
                    raise ValueError("left over")
                urn, found = list(range(batch_size)), []
                while urn:
                    rows = [urn.pop(int(rng.integers(len(urn)))) for _ in range(minibatch_size)]
                    found.append(np.array(rows))
                return found
        """,
        "every k-th of a shuffled order": """
            def minibatch_indices(rng, batch_size, minibatch_size):
                if batch_size % minibatch_size != 0:
                    raise ValueError("left over")
                order, parts = rng.permutation(batch_size), batch_size // minibatch_size
                return [order[k::parts].astype(np.int32) for k in range(parts)]
        """,
    },
}

#: What learners get wrong: name -> (a text of the solution, what they write instead).
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "make_vec": {
        "the default mode": (", autoreset_mode=AutoresetMode.SAME_STEP", ""),
        "no reset of one's own": (
            "autoreset_mode=AutoresetMode.SAME_STEP",
            "autoreset_mode=AutoresetMode.DISABLED",
        ),
        "no seed": ("envs.reset(seed=seed)", "envs.reset()"),
        "one seed for all": ("seed=seed", "seed=[seed] * n_envs"),
        "never reset": ("    envs.reset(seed=seed)\n", ""),
        "always the same seed": ("seed=seed", "seed=0"),
        "always CartPole": ("gym.make(env_id)", 'gym.make("CartPole-v1")'),
        "one copy": ("[make_one] * n_envs", "[make_one]"),
        "a second reset without a seed": (
            "envs.reset(seed=seed)",
            "envs.reset(seed=seed); envs.reset()",
        ),
    },
    "count_phantoms": {
        "ends instead of phantoms": ("np.vstack([carried_done, dones])[:n_steps]", "dones"),
        "carried ends forgotten": (
            "np.vstack([carried_done, dones])[:n_steps]",
            "dones[:-1]",
        ),
        "last row too": ("[:n_steps]", ""),
        "one environment": ("ended_before.sum()", "ended_before[:, 0].sum()"),
        "an average": ("int(ended_before.sum())", "float(ended_before.mean())"),
        "one number each": ("int(ended_before.sum())", "ended_before.sum(axis=0)"),
        "the step that ended": (
            "np.vstack([carried_done, dones])[:n_steps]",
            "np.vstack([dones, carried_done])[:n_steps]",
        ),
    },
    "collect_rollout": {
        "the next observation stored": ('"observations": obs,', '"observations": next_obs,'),
        "done of this step": ('"dones": done,', '"dones": ended.astype(np.float64),'),
        "cuts forgotten": ("ended = terminated | truncated", "ended = terminated"),
        "next observation as the last one": (
            'final[n] = infos["final_obs"][n]',
            "final[n] = next_obs[n]",
        ),
        "all final observations": (
            'for n in np.flatnonzero(ended):\n            final[n] = infos["final_obs"][n]',
            'if "final_obs" in infos:\n            final = infos["final_obs"]',
        ),
        "begins anew": ("obs, done = carry", "obs, done = carry[0], np.ones(len(carry[1]))"),
        "stands still": ("obs, done = next_obs, ended", "done = ended"),
        "the carry that came in": (
            "for key in steps[0]}, (obs, done)",
            "for key in steps[0]}, carry",
        ),
        "environments first": (
            "np.stack([step[key] for step in steps])",
            "np.stack([step[key] for step in steps], axis=1)",
        ),
        "flags as the carry": ("ended.astype(np.float64)", "ended"),
        "asked twice": ("act(obs)\n", "(act(obs)[0], *act(obs)[1:])\n"),
        "one step too few": ("range(n_steps)", "range(n_steps - 1)"),
    },
    "flatten_batch": {
        "environments first": (
            "block.reshape(n_steps * n_envs, *block.shape[2:])",
            "block.swapaxes(0, 1).reshape(n_steps * n_envs, *block.shape[2:])",
        ),
        "flat altogether": ("block.reshape(n_steps * n_envs, *block.shape[2:])", "block.flatten()"),
        "all but the first axis": (
            "block.reshape(n_steps * n_envs, *block.shape[2:])",
            "block.reshape(n_steps, -1)",
        ),
        "two axes always": (
            "n_steps * n_envs, *block.shape[2:]",
            "n_steps * n_envs, -1",
        ),
        "as memory has it": (
            "block.reshape(n_steps * n_envs, *block.shape[2:])",
            'block.reshape(n_steps * n_envs, *block.shape[2:], order="A")',
        ),
        "as floats": (
            "block.reshape(",
            "block.astype(float).reshape(",
        ),
        "one more axis only": ("*block.shape[2:]", "*block.shape[2:3]"),
    },
    "minibatch_indices": {
        "with replacement": (
            "rng.permutation(batch_size)",
            "rng.integers(0, batch_size, size=batch_size)",
        ),
        "not shuffled": ("rng.permutation(batch_size)", "np.arange(batch_size)"),
        "chance from elsewhere": ("rng.permutation", "np.random.permutation"),
        "the same order each time": ("rng.permutation", "np.random.default_rng(0).permutation"),
        "blocks shuffled": (
            "rng.permutation(batch_size)",
            "rng.permutation(np.arange(batch_size).reshape(-1, minibatch_size)).ravel()",
        ),
        "the rest dropped": (
            'raise ValueError("minibatch_size must divide batch_size")',
            "batch_size -= batch_size % minibatch_size",
        ),
        "the rest kept": (
            'raise ValueError("minibatch_size must divide batch_size")',
            "pass",
        ),
        "an assert instead of an error": (
            'if batch_size % minibatch_size != 0:\n        raise ValueError("minibatch_size must'
            ' divide batch_size")',
            "assert batch_size % minibatch_size == 0",
        ),
        "slices that overlap": (
            "range(0, batch_size, minibatch_size)",
            "range(batch_size // minibatch_size)",
        ),
        "counted from one": ("order[start :", "1 + order[start :"),
        "sorted": (
            "order[start : start + minibatch_size]",
            "np.sort(order[start : start + minibatch_size])",
        ),
        "rotated only": (
            "rng.permutation(batch_size)",
            "np.roll(np.arange(batch_size), rng.integers(batch_size))",
        ),
    },
}

_WRITTEN = "only the shape and the type are taken from it"
_KEYS = "every step has the same keys"
_NEGATIVE = "NumPy infers an axis whose length is negative"

#: Mutants that are right answers too: the change, as the table prints it, and why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "make_vec": {},
    "count_phantoms": {},
    "collect_rollout": {
        "10: np.zeros_like -> lambda a: np.zeros(a.shape)": "floats of either width are taken",
        "10: obs -> -obs": _WRITTEN,
        "10: obs -> next_obs": _WRITTEN,
        "27: obs -> next_obs": "after the last step both are the same array",
        "27: 0 -> -1": _KEYS,
    },
    "flatten_batch": {
        "5: n_steps -> -n_steps": _NEGATIVE,
        "5: n_envs -> -n_envs": _NEGATIVE,
    },
    "minibatch_indices": {
        "4: 0 -> 0.0": "0 equals 0.0",
        "4: batch_size -> -batch_size": "a sign changes nothing about what divides",
        "4: minibatch_size -> -minibatch_size": "a sign changes nothing about what divides",
    },
}

"""Answers of chapter 00: right ones, classic mistakes, mutants that are right too."""

from __future__ import annotations

#: Right answers by exercise: name -> code.
VARIANTS: dict[str, dict[str, str]] = {
    "run_episode": {
        "endless loop and break": """
            def run_episode(env, policy, seed):
                obs, info = env.reset(seed=seed)
                total = 0.0
                steps = 0
                while True:
                    obs, reward, terminated, truncated, info = env.step(policy(obs))
                    total += float(reward)
                    steps += 1
                    if terminated or truncated:
                        break
                return total, steps, bool(terminated), bool(truncated)
        """,
        "a list of rewards": """
            def run_episode(env, policy, seed):
                obs, _ = env.reset(seed=seed)
                rewards, done = [], False
                while not done:
                    obs, reward, terminated, truncated, _ = env.step(policy(obs))
                    rewards.append(float(reward))
                    done = terminated | truncated
                return float(sum(rewards)), len(rewards), bool(terminated), bool(truncated)
        """,
        "recursive": """
            def run_episode(env, policy, seed):
                def rest(obs):
                    obs, reward, terminated, truncated, _ = env.step(policy(obs))
                    if terminated or truncated:
                        return float(reward), 1, bool(terminated), bool(truncated)
                    total, steps, *flags = rest(obs)
                    return float(reward) + total, 1 + steps, *flags
                return rest(env.reset(seed=seed)[0])
        """,
        "counting up": """
            import itertools
            def run_episode(env, policy, seed):
                observation = env.reset(seed=seed)[0]
                total = np.float64(0)
                for step in itertools.count(1):
                    action = policy(observation)
                    result = env.step(action)
                    observation = result[0]
                    total = total + result[1]
                    if result[2] or result[3]:
                        return float(total), step, bool(result[2]), bool(result[3])
        """,
        "a generator of steps": """
            def run_episode(env, policy, seed):
                def play():
                    obs = env.reset(seed=int(seed))[0]
                    while obs is not None:
                        step = env.step(policy(obs))
                        yield step
                        obs = None if step[2] or step[3] else step[0]
                steps = list(play())
                total = sum(float(step[1]) for step in steps)
                return total, len(steps), bool(steps[-1][2]), bool(steps[-1][3])
        """,
    },
    "discounted_return": {
        "powers": """
            def discounted_return(rewards, gamma):
                return float(sum(gamma**k * float(r) for k, r in enumerate(rewards)))
        """,
        "dot product": """
            def discounted_return(rewards, gamma):
                rewards = np.asarray(rewards, dtype=np.float64)
                return float(rewards @ gamma ** np.arange(len(rewards)))
        """,
        "a weight that shrinks": """
            def discounted_return(rewards, gamma):
                total, weight = 0.0, 1.0
                for reward in rewards:
                    total += weight * float(reward)
                    weight *= gamma
                return total
        """,
        "by index, backwards": """
            def discounted_return(rewards, gamma):
                g = 0.0
                for t in range(len(rewards) - 1, -1, -1):
                    g = rewards[t] + gamma * g
                return float(g)
        """,
        "fold": """
            from functools import reduce
            def discounted_return(rewards, gamma):
                return float(reduce(lambda total, r: r + gamma * total, list(rewards)[::-1], 0.0))
        """,
        "in torch": """
            import torch
            def discounted_return(rewards, gamma):
                r = torch.as_tensor(rewards, dtype=torch.float64)
                weights = torch.pow(torch.tensor(gamma, dtype=torch.float64), torch.arange(len(r)))
                return (weights * r).sum().item()
        """,
    },
    "seeded_rollout": {
        "filled array": """
            def seeded_rollout(env_id, seed, n):
                env = gym.make(env_id)
                rows = np.zeros((n, *env.observation_space.shape), dtype=np.float32)
                rows[0], _ = env.reset(seed=seed)
                env.action_space.seed(seed)
                for i in range(1, n):
                    rows[i], _, terminated, truncated, _ = env.step(env.action_space.sample())
                    if terminated or truncated:
                        rows[i], _ = env.reset()
                env.close()
                return rows
        """,
        "with a done flag": """
            def seeded_rollout(env_id, seed, n):
                env = gym.make(env_id)
                obs, _ = env.reset(seed=seed)
                env.action_space.seed(seed)
                rows, done = [obs], False
                while len(rows) < n:
                    obs, _, terminated, truncated, _ = env.step(env.action_space.sample())
                    done = terminated or truncated
                    rows.append(env.reset()[0] if done else obs)
                return np.stack(rows).astype(np.float32)
        """,
        "reset at the top": """
            def seeded_rollout(env_id, seed, n):
                env = gym.make(env_id)
                env.action_space.seed(seed)
                rows, over, first = [], True, seed
                for _ in range(n):
                    if over:
                        obs, _ = env.reset(seed=first)
                        first = None
                    rows.append(np.array(obs, dtype=np.float32))
                    obs, _, terminated, truncated, _ = env.step(env.action_space.sample())
                    over = terminated or truncated
                return np.array(rows)
        """,
        "a generator": """
            from itertools import islice
            def seeded_rollout(env_id, seed, n):
                def observations():
                    env = gym.make(env_id)
                    env.action_space.seed(seed)
                    yield env.reset(seed=seed)[0]
                    while True:
                        step = env.step(env.action_space.sample())
                        yield env.reset()[0] if step[2] or step[3] else step[0]
                return np.stack(list(islice(observations(), n)))
        """,
        "without a check of the environment": """
            def seeded_rollout(env_id, seed, n):
                env = gym.make(env_id, disable_env_checker=True)
                env.action_space.seed(seed)
                obs, _ = env.reset(seed=seed)
                rows = [obs.tolist()]
                for _ in range(n - 1):
                    obs, reward, terminated, truncated, info = env.step(env.action_space.sample())
                    if terminated or truncated:
                        obs, info = env.reset()
                    rows += [obs.tolist()]
                return np.asarray(rows, dtype=np.float32)
        """,
    },
    "is_bootstrap_needed": {
        "compared with false": """
            def is_bootstrap_needed(terminated, truncated):
                return np.equal(terminated, False)
        """,
        "by inversion": """
            def is_bootstrap_needed(terminated, truncated):
                return ~np.asarray(terminated, dtype=bool)
        """,
        "by cases": """
            def is_bootstrap_needed(terminated, truncated):
                if np.ndim(terminated) == 0:
                    return not terminated
                return np.array([not end for end in terminated], dtype=bool)
        """,
        "the table": """
            def is_bootstrap_needed(terminated, truncated):
                goes_on = np.logical_not(np.logical_or(terminated, truncated))
                cut_off = np.logical_and(truncated, np.logical_not(terminated))
                return np.logical_or(goes_on, cut_off)
        """,
        "where": """
            def is_bootstrap_needed(terminated, truncated):
                return np.where(terminated, False, True)
        """,
        "exclusive or": """
            def is_bootstrap_needed(terminated, truncated):
                return np.logical_xor(terminated, True)
        """,
    },
}

_STEP = "observation, _, terminated, truncated, _ = env.step(env.action_space.sample())"

#: Mistakes that learners make: name -> (text of the solution, what they write instead).
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "run_episode": {
        "ends only when terminated": ("terminated or truncated)", "terminated)"),
        "ends only when truncated": ("terminated or truncated)", "truncated)"),
        "flags the other way round": (
            "reward, terminated, truncated, _",
            "reward, truncated, terminated, _",
        ),
        "seed not handed on": ("env.reset(seed=seed)", "env.reset()"),
        "last reward forgotten": (
            "total += float(reward)",
            "total += 0.0 if terminated or truncated else float(reward)",
        ),
        "steps counted from one": ("0.0, 0", "0.0, 1"),
        "stale observation": ("observation, reward,", "_, reward,"),
        "one done for both": (
            "steps, bool(terminated), bool(truncated)",
            "steps, bool(terminated or truncated), False",
        ),
        "reward overwritten": ("total += float(reward)", "total = float(reward)"),
        "NumPy flags returned": ("bool(terminated), bool(truncated)", "terminated, truncated"),
    },
    "discounted_return": {
        "not backwards": ("reversed(rewards)", "rewards"),
        "first reward discounted too": (
            "float(reward) + gamma * total",
            "gamma * (float(reward) + total)",
        ),
        "no discount": ("gamma * total", "total"),
        "reward discounted instead": (
            "float(reward) + gamma * total",
            "gamma * float(reward) + total",
        ),
        "mean instead of sum": ("return total", "return total / max(len(rewards), 1)"),
        "one minus gamma": ("gamma * total", "(1 - gamma) * total"),
        "last reward left out": ("reversed(rewards)", "reversed(rewards[:-1])"),
    },
    "seeded_rollout": {
        "action space not seeded": ("env.action_space.seed(seed)", "pass"),
        "each reset seeded": ("env.reset()", "env.reset(seed=seed)"),
        "environment not seeded": ("env.reset(seed=seed)", "env.reset()"),
        "NumPy seeded instead": ("env.action_space.seed(seed)", "np.random.seed(seed)"),
        "no reset at a time limit": ("if terminated or truncated", "if terminated"),
        "no reset at an end": ("if terminated or truncated", "if truncated"),
        "never reset": ("if terminated or truncated", "if False"),
        "first observation skipped": (
            f"rows.append(observation)\n        {_STEP}",
            f"{_STEP}\n        rows.append(observation)",
        ),
        "seeded with another number": (
            "env.action_space.seed(seed)",
            "env.action_space.seed(seed + 1)",
        ),
        "float64": ("np.array(rows)", "np.array(rows, dtype=np.float64)"),
    },
    "is_bootstrap_needed": {
        "a time limit is a death": (
            "np.logical_not(terminated)",
            "np.logical_not(np.logical_or(terminated, truncated))",
        ),
        "only at a time limit": (
            "np.logical_not(terminated)",
            "np.logical_and(truncated, np.logical_not(terminated))",
        ),
        "the truncated flag": ("np.logical_not(terminated)", "truncated"),
        "upside down": ("np.logical_not(terminated)", "terminated"),
        "not truncated": ("np.logical_not(terminated)", "np.logical_not(truncated)"),
        "a time limit wins": (
            "np.logical_not(terminated)",
            "np.logical_or(truncated, np.logical_not(terminated))",
        ),
        "not for arrays": ("np.logical_not(terminated)", "not terminated"),
        "a number": ("np.logical_not(terminated)", "1.0 - np.asarray(terminated, dtype=float)"),
        "always": ("np.logical_not(terminated)", "np.ones(np.shape(terminated), dtype=bool)"),
    },
}

_ZERO = "minus zero is zero"
_FLAG = "minus one is as true as one, and minus zero as false as zero"

#: Automatic mutants that are right answers too: change -> reason.
EQUIVALENT: dict[str, dict[str, str]] = {
    "run_episode": {"8: 0.0 -> -0.0": _ZERO},
    "discounted_return": {"4: 0.0 -> -0.0": _ZERO},
    "seeded_rollout": {
        "11: terminated -> -terminated": _FLAG,
        "11: truncated -> -truncated": _FLAG,
    },
}

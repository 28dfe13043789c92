"""Answers to the exercises of 12-capstone: right ones, mistakes of learners, harmless mutants."""

from __future__ import annotations

#: Correct solutions, each written in another way.
VARIANTS: dict[str, dict[str, str]] = {
    "to_sb3_kwargs": {
        "a copy that is changed": """
            def to_sb3_kwargs(config):
                kwargs = dict(config)
                samples = kwargs.pop("n_envs") * kwargs["n_steps"]
                updates = kwargs.pop("total_steps") / samples
                parts, start = kwargs.pop("n_minibatches"), config["learning_rate"]
                if samples % parts != 0:
                    raise ValueError("uneven minibatches")
                kwargs["batch_size"] = int(samples / parts)
                kwargs["vf_coef"] *= 0.5
                if kwargs.pop("anneal"):
                    kwargs["learning_rate"] = lambda left: start * (left + 1 / updates)
                sizes = list(kwargs.pop("hidden"))
                kwargs["policy_kwargs"] = dict(
                    net_arch=dict(pi=sizes, vf=sizes),
                    optimizer_kwargs=dict(eps=kwargs.pop("adam_eps")),
                )
                return kwargs
        """,
        "by the number of the update": """
            def to_sb3_kwargs(config):
                size, rest = divmod(config["n_envs"] * config["n_steps"], config["n_minibatches"])
                if rest:
                    raise ValueError(rest)
                updates = config["total_steps"] / (config["n_envs"] * config["n_steps"])
                rate = config["learning_rate"]
                def annealed(remaining):
                    update = updates * (1 - remaining)
                    return rate * (1 - (update - 1) / updates)
                names = "n_steps n_epochs gamma gae_lambda clip_range clip_range_vf ent_coef"
                names += " max_grad_norm target_kl seed"
                kwargs = {name: config[name] for name in names.split()}
                kwargs.update(
                    batch_size=size, vf_coef=0.5 * config["vf_coef"],
                    learning_rate=annealed if config["anneal"] else rate,
                    policy_kwargs={"net_arch": {k: [*config["hidden"]] for k in ("pi", "vf")},
                                   "optimizer_kwargs": {"eps": config["adam_eps"]}},
                )
                return kwargs
        """,
        "an object for the schedule": """
            class Falling:
                def __init__(self, start, share):
                    self.start, self.share = start, share
                def __call__(self, remaining):
                    return self.start * remaining + self.start * self.share

            def to_sb3_kwargs(config):
                samples = config["n_steps"] * config["n_envs"]
                size = samples // config["n_minibatches"]
                if size * config["n_minibatches"] != samples:
                    raise ValueError("no even parts")
                out = {key: value for key, value in config.items() if key not in
                       {"n_envs", "total_steps", "n_minibatches", "anneal", "hidden", "adam_eps"}}
                if config["anneal"]:
                    out["learning_rate"] = Falling(out["learning_rate"],
                                                   samples / config["total_steps"])
                out["batch_size"] = size
                out["vf_coef"] = config["vf_coef"] * 0.5
                arch = {"vf": list(config["hidden"]), "pi": list(config["hidden"])}
                out["policy_kwargs"] = {"optimizer_kwargs": {"eps": config["adam_eps"]},
                                        "net_arch": arch}
                return out
        """,
        "a long dict": """
            def to_sb3_kwargs(config):
                c = config
                whole = c["n_envs"] * c["n_steps"]
                if whole % c["n_minibatches"] > 0:
                    raise ValueError("minibatches")
                rate = c["learning_rate"]
                if c["anneal"]:
                    rate = lambda p: c["learning_rate"] * (p + whole / c["total_steps"])
                return {
                    "n_steps": c["n_steps"], "batch_size": whole // c["n_minibatches"],
                    "n_epochs": c["n_epochs"], "gamma": c["gamma"], "gae_lambda": c["gae_lambda"],
                    "clip_range": c["clip_range"], "clip_range_vf": c["clip_range_vf"],
                    "ent_coef": c["ent_coef"], "vf_coef": c["vf_coef"] / 2.0,
                    "max_grad_norm": c["max_grad_norm"], "target_kl": c["target_kl"],
                    "seed": c["seed"], "learning_rate": rate,
                    "policy_kwargs": {
                        "net_arch": {"pi": list(c["hidden"]), "vf": list(c["hidden"])},
                        "optimizer_kwargs": {"eps": c["adam_eps"]},
                    },
                }
        """,
        "interpolated": """
            def to_sb3_kwargs(config):
                per_update = config["n_envs"] * config["n_steps"]
                if per_update / config["n_minibatches"] % 1:
                    raise ValueError("minibatches of different sizes")
                first = config["learning_rate"]
                last = first * per_update / config["total_steps"]
                share = per_update / config["total_steps"]
                rate = (lambda p: last + p * first) if config["anneal"] else first
                gone = {"n_envs", "total_steps", "n_minibatches", "anneal", "hidden", "adam_eps"}
                return {k: v for k, v in config.items() if k not in gone} | {
                    "learning_rate": rate,
                    "batch_size": per_update // config["n_minibatches"],
                    "vf_coef": config["vf_coef"] / 2,
                    "policy_kwargs": {
                        "net_arch": {"pi": list(config["hidden"]), "vf": list(config["hidden"])},
                        "optimizer_kwargs": {"eps": config["adam_eps"]}},
                }
        """,
    },
    "compare_gae": {
        "two maxima": """
            from stable_baselines3.common.buffers import RolloutBuffer
            def compare_gae(own, rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                space = spaces.Box(-1, 1, (1,))
                b = RolloutBuffer(len(rewards), space, space, "cpu", gae_lambda, gamma,
                                  rewards.shape[1])
                b.rewards[:], b.values[:], b.episode_starts[:] = rewards, values, dones
                b.compute_returns_and_advantage(torch.tensor(last_value), np.array(last_done))
                a, r = own(rewards, values, dones, last_value, last_done, gamma, gae_lambda)
                return float(np.maximum(np.abs(np.array(a) - b.advantages).max(),
                                        np.abs(np.array(r) - b.returns).max()))
        """,
        "through add": """
            from stable_baselines3.common.buffers import RolloutBuffer
            def compare_gae(own, rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                steps, envs = rewards.shape
                b = RolloutBuffer(steps, spaces.Box(-1, 1, (2,)), spaces.Discrete(3), device="cpu",
                                  gae_lambda=gae_lambda, gamma=gamma, n_envs=envs)
                for t in range(steps):
                    b.add(np.zeros((envs, 2)), np.zeros((envs, 1)), rewards[t], dones[t],
                          torch.as_tensor(values[t]), torch.zeros(envs))
                b.compute_returns_and_advantage(torch.as_tensor(last_value), last_done)
                both = own(rewards, values, dones, last_value, last_done, gamma, gae_lambda)
                pairs = zip(both, (b.advantages, b.returns))
                return float(np.max([np.max(np.abs(np.subtract(x, y))) for x, y in pairs]))
        """,
        "in torch": """
            from stable_baselines3.common.buffers import RolloutBuffer
            def compare_gae(own, rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                b = RolloutBuffer(rewards.shape[0], spaces.Discrete(2), spaces.Discrete(2), "cpu",
                                  gae_lambda, gamma, rewards.shape[1])
                b.rewards, b.values = np.float32(rewards), np.float32(values)
                b.episode_starts = np.float32(dones)
                b.compute_returns_and_advantage(torch.tensor(np.float32(last_value)), last_done)
                mine = own(rewards, values, dones, last_value, last_done, gamma, gae_lambda)
                mine = torch.stack([torch.tensor(part, dtype=torch.float64) for part in mine])
                theirs = torch.tensor(np.stack([b.advantages, b.returns]))
                return (mine - theirs).abs().max().item()
        """,
        "norm": """
            from stable_baselines3.common.buffers import RolloutBuffer
            def compare_gae(own, rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                b = RolloutBuffer(len(rewards), spaces.Box(-1, 1, (1,)), spaces.Discrete(2), "cpu",
                                  gae_lambda=gae_lambda, gamma=gamma, n_envs=len(last_value))
                for name, part in (("rewards", rewards), ("values", values),
                                   ("episode_starts", dones)):
                    setattr(b, name, np.array(part, dtype=np.float32))
                b.compute_returns_and_advantage(torch.from_numpy(last_value.copy()),
                                                last_done.copy())
                a, r = own(rewards, values, dones, last_value, last_done, gamma, gae_lambda)
                gap = np.concatenate([np.ravel(a) - b.advantages.ravel(),
                                      np.ravel(r) - b.returns.ravel()])
                return float(np.linalg.norm(gap, np.inf))
        """,
        "a loop that looks at NaN": """
            from stable_baselines3.common.buffers import RolloutBuffer
            def compare_gae(own, rewards, values, dones, last_value, last_done, gamma, gae_lambda):
                b = RolloutBuffer(len(rewards), spaces.Box(-1, 1, (1,)), spaces.Discrete(2), "cpu",
                                  gae_lambda=gae_lambda, gamma=gamma, n_envs=len(last_value))
                b.rewards, b.values = rewards.astype("f4"), values.astype("f4")
                b.episode_starts = dones.astype("f4")
                b.compute_returns_and_advantage(torch.tensor(last_value).float(), last_done)
                a, r = own(rewards, values, dones, last_value, last_done, gamma, gae_lambda)
                worst = 0.0
                for x, y in ((a, b.advantages), (r, b.returns)):
                    for p, q in zip(np.ravel(x), np.ravel(y)):
                        if math.isnan(p):
                            return math.inf
                        worst = max(worst, abs(float(p) - float(q)))
                return worst
        """,
    },
    "evaluate": {
        "an episode is a function": """
            def evaluate(act, env, seeds, t):
                def play(seed):
                    seen, _ = env.reset(seed=seed)
                    total = 0.0
                    while True:
                        seen, reward, terminated, truncated, _ = env.step(act(seen))
                        total = total + reward
                        if terminated or truncated:
                            return total
                if len(seeds) < 2:
                    raise ValueError("at least two seeds")
                x = np.array([play(seed) for seed in seeds], dtype=float)
                half = t * x.std(ddof=1) / np.sqrt(x.size)
                return float(x.mean()), float(x.mean() - half), float(x.mean() + half)
        """,
        "statistics": """
            import statistics
            def evaluate(act, env, seeds, t):
                sums = []
                if len(seeds) <= 1:
                    raise ValueError("no spread")
                for seed in seeds:
                    seen = env.reset(seed=seed)[0]
                    sums.append(0.0)
                    over = False
                    while not over:
                        seen, r, end, cut, _ = env.step(act(seen))
                        sums[-1] += float(r)
                        over = bool(end) or bool(cut)
                middle = statistics.fmean(sums)
                half = t * statistics.stdev(sums) / len(sums) ** 0.5
                return middle, middle - half, middle + half
        """,
        "rewards kept": """
            def evaluate(act, env, seeds, t):
                if not len(seeds) >= 2:
                    raise ValueError(seeds)
                totals = np.zeros(len(seeds))
                for i, seed in enumerate(seeds):
                    rewards, (seen, _) = [], env.reset(seed=seed)
                    flags = (False, False)
                    while not any(flags):
                        seen, reward, *flags, _ = env.step(act(seen))
                        rewards.append(reward)
                    totals[i] = sum(rewards)
                error = math.sqrt(totals.var(ddof=1) / len(seeds))
                mean = float(totals.mean())
                return mean, mean - t * error, mean + t * error
        """,
        "sums of squares": """
            def evaluate(act, env, seeds, t):
                n, first, second = 0, 0.0, 0.0
                if len(seeds) in (0, 1):
                    raise ValueError("two seeds")
                totals = []
                for seed in seeds:
                    seen, _ = env.reset(seed=seed)
                    total, end, cut = 0.0, False, False
                    while not end and not cut:
                        seen, r, end, cut, _ = env.step(act(seen))
                        total += r
                    totals.append(total)
                mean = sum(totals) / len(totals)
                spread = sum((x - mean) ** 2 for x in totals) / (len(totals) - 1)
                half = t * (spread / len(totals)) ** 0.5
                return (mean, mean - half, mean + half)
        """,
        "in torch": """
            def evaluate(act, env, seeds, t):
                if len(seeds) < 2:
                    raise ValueError("two")
                found = []
                for seed in seeds:
                    seen, _ = env.reset(seed=seed)
                    total, running = 0.0, True
                    while running:
                        action = act(seen)
                        seen, reward, end, cut, _ = env.step(action)
                        running = not (end or cut)
                        total += reward
                    found.append(total)
                x = torch.tensor(found, dtype=torch.float64)
                mean, half = x.mean().item(), (t * x.std() / len(found) ** 0.5).item()
                return mean, mean - half, mean + half
        """,
    },
    "train_capstone": {
        "a list": """
            from jupyter_ppo import RunSpec
            from jupyter_ppo.domain.presets import preset_values
            from jupyter_ppo.training.teaching.ppo import train_ppo
            def train_capstone():
                values = {**preset_values("cartpole-fast"), "total_steps": 20_480, "seed": 2}
                model = train_ppo(RunSpec(**values))
                return lambda seen: model.act(seen, deterministic=True).tolist()
            capstone_policy = train_capstone()
        """,
        "torch out": """
            from jupyter_ppo import RunSpec
            from jupyter_ppo.domain.presets import preset_values
            from jupyter_ppo.training.teaching.ppo import train_ppo
            def train_capstone():
                values = {**preset_values("cartpole-fast"), "total_steps": 20_480, "seed": 2}
                actor = train_ppo(RunSpec(**values)).actor
                return lambda seen: actor(torch.tensor(seen)).argmax(dim=1)
            capstone_policy = train_capstone()
        """,
        "random search": """
            def train_capstone():
                generator = np.random.default_rng(5)
                while True:
                    weights = generator.normal(size=4)
                    def policy(seen):
                        return (np.asarray(seen) @ weights > 0).astype(int)
                    if holds(policy):
                        return policy
            capstone_policy = train_capstone()
        """,
        "a linear rule found by hand": """
            def train_capstone():
                weights = np.array([0.1, 0.25, 1.0, 0.5])
                return lambda seen: (np.asarray(seen) @ weights > 0).astype(np.int64)
            capstone_policy = train_capstone()
        """,
        "an object": """
            class Linear:
                def __init__(self, weights):
                    self.weights = torch.tensor(weights)
                def __call__(self, seen):
                    return (torch.as_tensor(seen) @ self.weights > 0).long().numpy()
            def train_capstone():
                return Linear([0.1, 0.25, 1.0, 0.5])
            capstone_policy = train_capstone()
        """,
    },
}
#: The end of the solution's loop, and one that hands in what comes first.
_LOOKED = (
    "policy = lambda observations: model.act(observations, deterministic=True)\n"
    "        if holds(policy):\n"
    "            return policy\n"
)
_UNSEEN = "return lambda observations: {}\n"

#: What learners get wrong: text of the solution, and what they write instead.
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "to_sb3_kwargs": {
        "number of minibatches as their size": (
            'samples // config["n_minibatches"]',
            'config["n_minibatches"]',
        ),
        "vf_coef as it is": ('config["vf_coef"] / 2', 'config["vf_coef"]'),
        "vf_coef doubled": ('config["vf_coef"] / 2', 'config["vf_coef"] * 2'),
        "the last update does not learn": ("start * (remaining + share)", "start * remaining"),
        "progress made, not left": (
            "start * (remaining + share)",
            "start * (1 - remaining + share)",
        ),
        "always annealed": (' if config["anneal"] else start', ""),
        "uneven accepted": ('if samples % config["n_minibatches"]:', "if False:"),
        "samples of one environment": (
            'config["n_envs"] * config["n_steps"]',
            'config["n_steps"]',
        ),
        "one network for both": (
            '{"pi": list(config["hidden"]), "vf": list(config["hidden"])}',
            'list(config["hidden"])',
        ),
        "Adam's epsilon forgotten": ('{"eps": config["adam_eps"]}', "{}"),
    },
    "compare_gae": {
        "advantages only": (
            ", returns - buffer.returns]",
            "]",
        ),
        "mean instead of largest": ("difference.max()", "difference.mean()"),
        "sign of the difference": (
            "np.abs([advantages",
            "np.array([advantages",
        ),
        "last_done forgotten": (
            "dtype=torch.float32), last_done)",
            "dtype=torch.float32), 0 * last_done)",
        ),
        "NaN dropped": ("difference.max()", "np.nanmax(difference)"),
        "gamma swapped with lambda": (
            "gae_lambda=gae_lambda, gamma=gamma",
            "gae_lambda=gamma, gamma=gae_lambda",
        ),
        "dones of the step": (
            "= rewards, values, dones\n",
            "= rewards, values, np.vstack([dones[1:], last_done])\n",
        ),
    },
    "evaluate": {
        "one seed for all": ("env.reset(seed=seed)", "env.reset(seed=seeds[0])"),
        "no seed": ("env.reset(seed=seed)", "env.reset()"),
        "time limits do not end": ("terminated or truncated", "terminated"),
        "ddof 0": ("ddof=1", "ddof=0"),
        "spread of episodes": (" / math.sqrt(len(returns))", ""),
        "by n, not its root": ("math.sqrt(len(returns))", "len(returns)"),
        "the quantile forgotten": ("half = t * float", "half = float"),
        "one seed accepted": ("if len(seeds) < 2:", "if len(seeds) < 1:"),
        "the last reward only": ("total += reward", "total = reward"),
        "number of steps": ("total += reward", "total += 1.0"),
    },
    "train_capstone": {
        "not trained long enough": (
            _LOOKED,
            "model = train_ppo(RunSpec(**{**SMALL_BUDGET, 'total_steps': 2_048}))\n        "
            + _UNSEEN.format("model.act(observations, deterministic=True)"),
        ),
        "no future": (
            "SMALL_BUDGET, seed=seed))\n        " + _LOOKED,
            "{**SMALL_BUDGET, 'gamma': 0.0, 'seed': seed}))\n        "
            + _UNSEEN.format("model.act(observations, deterministic=True)"),
        ),
        "the other action": (
            _LOOKED,
            _UNSEEN.format("1 - model.act(observations, deterministic=True)"),
        ),
        "one action for all": (
            _LOOKED,
            _UNSEEN.format("model.act(observations, deterministic=True)[:1]"),
        ),
        "actions drawn": (_LOOKED, _UNSEEN.format("model.act(observations)")),
        "always to the right": (_LOOKED, _UNSEEN.format("np.ones(len(observations), int)")),
        "the model instead of a function": ("return policy", "return model"),
    },
}

#: Automatic mutants that are right answers too, and why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "to_sb3_kwargs": {
        "9: samples -> -samples": "whether it can be divided does not depend on the sign",
        "18: list(config['hidden']) -> config['hidden']": (
            "Stable-Baselines3 takes a tuple of sizes as well"
        ),
    },
    "compare_gae": {
        "8: RolloutBuffer(steps, any_space, any_space, device='cpu', gae_lambda=gae_lambda, "
        "gamma=gamma, n_envs=envs) -> RolloutBuffer(steps, any_space, any_space, "
        "gae_lambda=gae_lambda, gamma=gamma, n_envs=envs)": "the arrays are in NumPy on any device",
        "13: float(difference.max()) -> difference.max()": "NumPy's float64 is a float",
        "6: rewards -> -rewards": "only the shape is taken",
        "6: rewards -> dones": "of the same shape",
        "6: rewards -> values": "of the same shape",
        "7: 2 -> 3": "any spaces will do",
        "7: 2 -> 1": "any spaces will do",
        "10: torch.as_tensor(last_value, dtype=torch.float32) -> torch.as_tensor(last_value)": (
            "the buffer rounds it when it is stored"
        ),
        "12: advantages - buffer.advantages -> buffer.advantages - advantages": (
            "its size is taken afterwards"
        ),
        "12: returns - buffer.returns -> buffer.returns - returns": "its size is taken afterwards",
    },
    "evaluate": {
        "9: 0.0 -> -0.0": "the same number",
        "10: is_over -> -is_over": "-1 is true, and 0 is false, as before",
        "16: float(np.std(returns, ddof=1)) -> np.std(returns, ddof=1)": (
            "NumPy's float64 is a float"
        ),
        "13: terminated -> -terminated": "-1 is true, and 0 is false, as before",
        "13: truncated -> -truncated": "-1 is true, and 0 is false, as before",
        "16: returns -> seeds": "in the root: there are as many returns as seeds",
    },
    "train_capstone": {
        "7: holds(policy) -> policy": (
            "the first training seed holds already; the look is for machines that compute otherwise"
        ),
        "5: RunSpec(**SMALL_BUDGET, seed=seed) -> RunSpec(**SMALL_BUDGET)": (
            "the default seed is as good as any that holds"
        ),
    },
}

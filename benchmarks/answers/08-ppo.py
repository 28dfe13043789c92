"""Answers of chapter 08: right ones, classic mistakes, mutants that are right too."""

from __future__ import annotations

_HARNESS = """
            def try_update(weights, batch, config, seed):
                n_actions, obs_dim = weights["actor.weight"].shape
                model = LinearModel(obs_dim, n_actions).double()
                model.load_state_dict(weights)
                optimizer = torch.optim.Adam(
                    model.parameters(), lr=config["learning_rate"], eps=1e-5
                )
                rng = np.random.default_rng(seed)
                history = ppo_update(model, optimizer, batch, config, rng)
                after = {name: w.detach().clone() for name, w in model.named_parameters()}
                return after, history
"""

#: Right answers by exercise: name -> code.
VARIANTS: dict[str, dict[str, str]] = {
    "make_optimizer": {
        "by position": """
            def make_optimizer(parameters, learning_rate):
                return torch.optim.Adam(parameters, learning_rate, (0.9, 0.999), 1e-5)
        """,
        "one group in a dict": """
            def make_optimizer(parameters, learning_rate):
                group = {"params": list(parameters)}
                return torch.optim.Adam([group], lr=learning_rate, eps=0.00001)
        """,
        "settings in a dict": """
            def make_optimizer(parameters, learning_rate):
                settings = dict(lr=learning_rate, eps=1e-5)
                return torch.optim.Adam(list(parameters), **settings)
        """,
        "foreach": """
            from torch import optim
            def make_optimizer(parameters, learning_rate):
                return optim.Adam(params=parameters, lr=learning_rate, eps=10**-5, foreach=False)
        """,
        "named first": """
            def make_optimizer(parameters, learning_rate):
                parameters = tuple(parameters)
                optimizer = torch.optim.Adam(parameters, eps=1e-5, lr=learning_rate)
                return optimizer
        """,
    },
    "annealed": {
        "what is left": """
            def annealed(start, update, n_updates):
                return start * (n_updates - update + 1) / n_updates
        """,
        "start minus steps": """
            def annealed(start, update, n_updates):
                return start - (update - 1) * start / n_updates
        """,
        "interpolated": """
            def annealed(start, update, n_updates):
                return float(np.interp(update, [1, n_updates + 1], [start, 0]))
        """,
        "a list": """
            def annealed(start, update, n_updates):
                return np.linspace(start, 0.0, n_updates + 1)[update - 1]
        """,
        "the share that is done": """
            def annealed(start, update, n_updates):
                done = (update - 1) / n_updates
                return (1 - done) * start + done * 0.0
        """,
    },
    "clip_grads": {
        "one long vector": """
            def clip_grads(gradients, max_norm):
                norm = torch.cat([gradient.reshape(-1) for gradient in gradients]).norm()
                factor = torch.clamp(max_norm / (norm + 1e-6), max=1.0)
                return [gradient * factor for gradient in gradients], norm.item()
        """,
        "norm of norms": """
            def clip_grads(gradients, max_norm):
                norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients]))
                if norm > max_norm:
                    return [g * (max_norm / (norm + 1e-6)) for g in gradients], norm
                return [g.clone() for g in gradients], norm
        """,
        "PyTorch's own": """
            def clip_grads(gradients, max_norm):
                holders = []
                for gradient in gradients:
                    holder = nn.Parameter(torch.zeros_like(gradient))
                    holder.grad = gradient.clone()
                    holders.append(holder)
                norm = nn.utils.clip_grad_norm_(holders, max_norm)
                return [holder.grad for holder in holders], float(norm)
        """,
        "with NumPy": """
            def clip_grads(gradients, max_norm):
                norm = np.sqrt(sum(np.sum(g.numpy().astype(float) ** 2) for g in gradients))
                share = min(1.0, max_norm / (norm + 1e-6))
                return [torch.clone(g) if share == 1 else g * float(share) for g in gradients], norm
        """,
        "a loop": """
            def clip_grads(gradients, max_norm):
                squares = 0.0
                for gradient in gradients:
                    squares += gradient.pow(2).sum().item()
                norm, result = squares**0.5, []
                for gradient in gradients:
                    scale = max_norm / (norm + 1e-6)
                    result.append(gradient.mul(scale) if scale < 1 else gradient)
                return result, norm
        """,
    },
    "average_gradients": {
        "a running sum": """
            def average_gradients(workers, sizes):
                sums, total = None, 0
                for gradients, size in zip(workers, sizes):
                    if size == 0:
                        continue
                    parts = [size * gradient for gradient in gradients]
                    sums = parts if sums is None else [a + b for a, b in zip(sums, parts)]
                    total += size
                return [one / total for one in sums]
        """,
        "weights on a stack": """
            def average_gradients(workers, sizes):
                some = [i for i, size in enumerate(sizes) if size]
                result = []
                for k in range(len(workers[0])):
                    stack = torch.stack([workers[i][k] for i in some])
                    share = torch.tensor([sizes[i] for i in some], dtype=stack.dtype)
                    share = (share / share.sum()).reshape(-1, *[1] * (stack.dim() - 1))
                    result.append((share * stack).sum(0))
                return result
        """,
        "einsum": """
            def average_gradients(workers, sizes):
                share = torch.tensor(sizes, dtype=torch.float64) / sum(sizes)
                result = []
                for column in zip(*workers):
                    stack = torch.stack([g.double() for g in column])
                    stack[share == 0] = 0.0
                    result.append(torch.einsum("w,w...->...", share, stack).to(column[0].dtype))
                return result
        """,
        "NumPy's average": """
            def average_gradients(workers, sizes):
                pairs = [(w, n) for w, n in zip(workers, sizes) if n > 0]
                kept, weights = [w for w, _ in pairs], [n for _, n in pairs]
                means = (
                    np.average([g.numpy() for g in column], axis=0, weights=weights)
                    for column in zip(*kept)
                )
                return [
                    torch.tensor(mean, dtype=like.dtype) for mean, like in zip(means, workers[0])
                ]
        """,
        "means with nan_to_num": """
            def average_gradients(workers, sizes):
                total = sum(sizes)
                result = [torch.zeros_like(gradient) for gradient in workers[0]]
                for gradients, size in zip(workers, sizes):
                    for k, gradient in enumerate(gradients):
                        if size:
                            result[k] = result[k] + gradient * size / total
                return result
        """,
    },
    "ppo_update": {
        "slices and torch.distributions": f"""
            def ppo_update(model, optimizer, batch, config, rng):
                history, size = [], len(batch["actions"])
                eps, most = config["clip_range"], config["target_kl"]
                for _ in range(config["n_epochs"]):
                    order = rng.permutation(size)
                    for start in range(0, size, config["minibatch_size"]):
                        pick = order[start : start + config["minibatch_size"]]
                        mb = {{name: column[pick] for name, column in batch.items()}}
                        logits, values = model(mb["observations"])
                        pi = torch.distributions.Categorical(logits=logits)
                        logratio = pi.log_prob(mb["actions"]) - mb["log_probs"]
                        ratio, adv = torch.exp(logratio), mb["advantages"]
                        if adv.numel() > 1:
                            deviation, mean = torch.std_mean(adv)
                            adv = (adv - mean) / (deviation + 1e-8)
                        good, bad = ratio.clamp(max=1 + eps), ratio.clamp(min=1 - eps)
                        pg = -(torch.where(adv > 0, good, bad) * adv).mean()
                        vf = nn.functional.mse_loss(values, mb["returns"]) / 2
                        entropy = pi.entropy().mean()
                        with torch.no_grad():
                            kl = float((ratio - 1 - logratio).mean())
                            share = float(((ratio - 1).abs() > eps).double().mean())
                        history.append(dict(
                            policy_loss=float(pg), value_loss=float(vf), entropy=float(entropy),
                            approx_kl=kl, clip_fraction=share,
                        ))
                        if most is not None and kl > 1.5 * most:
                            return history
                        optimizer.zero_grad()
                        (pg + config["vf_coef"] * vf - config["ent_coef"] * entropy).backward()
                        nn.utils.clip_grad_norm_(model.parameters(), config["max_grad_norm"])
                        optimizer.step()
                return history
            {_HARNESS.strip()}
        """,
        "a flag and two breaks": f"""
            def ppo_update(model, optimizer, batch, config, rng):
                history, too_far = [], False
                b, m, eps = len(batch["returns"]), config["minibatch_size"], config["clip_range"]
                for epoch in range(config["n_epochs"]):
                    order = rng.permutation(b)
                    for i in range(math.ceil(b / m)):
                        index = torch.from_numpy(order[i * m : (i + 1) * m])
                        logits, values = model(batch["observations"][index])
                        log_pi = logits - logits.logsumexp(1, keepdim=True)
                        chosen = log_pi[torch.arange(len(index)), batch["actions"][index]]
                        logratio = chosen - batch["log_probs"][index]
                        ratio, advantages = logratio.exp(), batch["advantages"][index]
                        if len(index) != 1:
                            advantages = advantages - advantages.mean()
                            advantages = advantages / (advantages.std() + 1e-8)
                        losses = torch.maximum(
                            -advantages * ratio, -advantages * ratio.clip(1 - eps, 1 + eps)
                        )
                        numbers = {{
                            "policy_loss": losses.mean(),
                            "value_loss": (values - batch["returns"][index]).square().mean() * 0.5,
                            "entropy": -(log_pi.exp() * log_pi).sum(1).mean(),
                            "approx_kl": (ratio - 1).sub(logratio).mean(),
                            "clip_fraction": ((ratio - 1).abs() > eps).double().mean(),
                        }}
                        history.append({{name: x.item() for name, x in numbers.items()}})
                        target = config["target_kl"]
                        too_far = target is not None and history[-1]["approx_kl"] > 1.5 * target
                        if too_far:
                            break
                        loss = numbers["policy_loss"] + config["vf_coef"] * numbers["value_loss"]
                        loss = loss - config["ent_coef"] * numbers["entropy"]
                        model.zero_grad()
                        loss.backward()
                        nn.utils.clip_grad_norm_(model.parameters(), config["max_grad_norm"])
                        optimizer.step()
                    if too_far:
                        break
                return history
            {_HARNESS.strip()}
        """,
        "the gradient by hand": f"""
            def ppo_update(model, optimizer, batch, config, rng):
                history, parameters = [], list(model.parameters())
                eps, limit = config["clip_range"], config["target_kl"] or math.inf
                for _ in range(config["n_epochs"]):
                    order = torch.from_numpy(rng.permutation(len(batch["actions"])))
                    for index in order.split(config["minibatch_size"]):
                        x, a = batch["observations"][index], batch["actions"][index]
                        adv, ret = batch["advantages"][index], batch["returns"][index]
                        logits, v = model(x)
                        log_pi = torch.nn.functional.log_softmax(logits, dim=-1)
                        log = torch.take_along_dim(log_pi, a[:, None], 1).squeeze(1)
                        log = log - batch["log_probs"][index]
                        ratio = torch.exp(log)
                        if len(adv) > 1:
                            adv = (adv - torch.mean(adv)) / (torch.std(adv) + 1e-8)
                        gain = torch.min(ratio * adv, torch.clamp(ratio, 1 - eps, 1 + eps) * adv)
                        terms = [-gain.mean(), torch.mean((v - ret) ** 2) / 2]
                        terms.append(torch.special.entr(log_pi.exp()).sum(1).mean())
                        seen = dict(zip(("policy_loss", "value_loss", "entropy"), terms))
                        seen["approx_kl"] = (torch.expm1(log) - log).mean()
                        seen["clip_fraction"] = (abs(ratio - 1) > eps).double().mean()
                        history.append({{name: one.item() for name, one in seen.items()}})
                        if history[-1]["approx_kl"] > 1.5 * limit:
                            return history
                        loss = terms[0] + config["vf_coef"] * terms[1]
                        loss = loss - config["ent_coef"] * terms[2]
                        gradients = torch.autograd.grad(loss, parameters)
                        norm = math.sqrt(sum(float((g**2).sum()) for g in gradients))
                        share = min(1.0, config["max_grad_norm"] / (norm + 1e-6))
                        for parameter, gradient in zip(parameters, gradients):
                            parameter.grad = gradient * share
                        optimizer.step()
                return history
            {_HARNESS.strip()}
        """,
        "in three functions": f"""
            def terms_of(model, mb, eps):
                logits, values = model(mb["observations"])
                log_pi = logits.log_softmax(dim=1)
                logratio = log_pi.gather(1, mb["actions"].unsqueeze(1)).squeeze(1) - mb["log_probs"]
                ratio, adv = logratio.exp(), mb["advantages"]
                if len(adv) >= 2:
                    adv = (adv - adv.mean()) / (adv.std(correction=1) + 1e-8)
                policy = -torch.minimum(ratio * adv, ratio.clamp(1 - eps, 1 + eps) * adv).mean()
                value = ((mb["returns"] - values) ** 2).mean() / 2
                entropy = (-log_pi.exp() * log_pi).sum(dim=1).mean()
                numbers = [policy, value, entropy, (ratio - 1 - logratio).mean()]
                numbers.append(((ratio - 1).abs() > eps).sum() / len(ratio))
                return numbers
            def pieces(batch, size, rng):
                order = rng.permutation(len(batch["actions"])).tolist()
                while order:
                    first, order = order[:size], order[size:]
                    yield {{name: column[first] for name, column in batch.items()}}
            def ppo_update(model, optimizer, batch, config, rng):
                names = ["policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction"]
                history = []
                for _ in range(config["n_epochs"]):
                    for mb in pieces(batch, config["minibatch_size"], rng):
                        numbers = terms_of(model, mb, config["clip_range"])
                        history.append(dict(zip(names, (float(x) for x in numbers))))
                        if config["target_kl"] is not None:
                            if history[-1]["approx_kl"] > 1.5 * config["target_kl"]:
                                return history
                        policy, value, entropy = numbers[:3]
                        optimizer.zero_grad(set_to_none=False)
                        total = policy + config["vf_coef"] * value - config["ent_coef"] * entropy
                        total.backward()
                        torch.nn.utils.clip_grad_norm_(model.parameters(), config["max_grad_norm"])
                        optimizer.step()
                return history
            {_HARNESS.strip()}
        """,
        "a closure for the step": f"""
            def ppo_update(model, optimizer, batch, config, rng):
                history = []
                low, high = 1 - config["clip_range"], 1 + config["clip_range"]
                n = batch["observations"].shape[0]
                orders = (torch.as_tensor(rng.permutation(n)) for _ in range(config["n_epochs"]))
                for order in orders:
                    for k in range(0, n, config["minibatch_size"]):
                        idx = order[k : k + config["minibatch_size"]]
                        adv = batch["advantages"].index_select(0, idx)
                        if adv.shape[0] > 1:
                            adv = (adv - adv.mean()) / (adv.var().sqrt() + 1e-8)
                        logits, values = model(batch["observations"].index_select(0, idx))
                        every = torch.log_softmax(logits, -1)
                        onehot = nn.functional.one_hot(batch["actions"][idx], logits.shape[1])
                        logratio = (every * onehot).sum(-1) - batch["log_probs"][idx]
                        ratio = logratio.exp()
                        both = torch.stack([ratio, ratio.clamp(low, high)])
                        policy = -both.mul(adv).amin(0).mean()
                        value = 0.5 * (values - batch["returns"][idx]).pow(2).mean()
                        entropy = -every.exp().mul(every).sum(-1).mean()
                        outside = torch.logical_or(ratio < low, ratio > high)
                        history.append({{
                            "policy_loss": policy.item(), "value_loss": value.item(),
                            "entropy": entropy.item(),
                            "approx_kl": (ratio - logratio).mean().item() - 1.0,
                            "clip_fraction": outside.sum().item() / len(outside),
                        }})
                        target = config["target_kl"]
                        if target is not None and history[-1]["approx_kl"] / 1.5 > target:
                            return history
                        def closure():
                            optimizer.zero_grad()
                            loss = policy + config["vf_coef"] * value
                            (loss - config["ent_coef"] * entropy).backward()
                            nn.utils.clip_grad_norm_(model.parameters(), config["max_grad_norm"])
                        optimizer.step(closure)
                return history
            {_HARNESS.strip()}
        """,
    },
    "train_ppo": {
        "torch.distributions and a step count": """
            def train_ppo(env_id, config, seed, log=None):
                torch.manual_seed(seed)
                rng, gamma = np.random.default_rng(seed), config["gamma"]
                envs = make_vec(env_id, config["n_envs"], seed)
                shape, n = envs.single_observation_space.shape, envs.single_action_space.n
                model = build_actor_critic(shape[0], int(n), shared=False)
                optimizer = torch.optim.Adam(model.parameters(), eps=1e-5)
                carry, steps = (envs.reset(seed=seed)[0], np.ones(config["n_envs"])), 0
                episodes = EpisodeReturns(config["n_envs"])
                def act(observations):
                    with torch.no_grad():
                        logits, values = model(torch.from_numpy(np.float32(observations)))
                        pi = torch.distributions.Categorical(logits=logits)
                        actions = pi.sample()
                        return actions.numpy(), pi.log_prob(actions).numpy(), values.numpy()
                def value(observations):
                    flat = np.reshape(observations, (-1, shape[0]))
                    return act(flat)[2].reshape(np.shape(observations)[:-1])
                for update in range(config["n_updates"]):
                    rate = config["learning_rate"] * (1 - update / config["n_updates"])
                    for group in optimizer.param_groups:
                        group["lr"] = rate
                    ro, carry = collect_rollout(envs, act, config["n_steps"], carry)
                    episodes.add(ro)
                    after = value(ro["final_observations"])
                    rewards = ro["rewards"] + gamma * after * ro["truncated"]
                    adv, ret = compute_gae(
                        rewards, ro["values"], ro["dones"], value(carry[0]), carry[1], gamma,
                        config["gae_lambda"],
                    )
                    batch = {
                        "observations": torch.as_tensor(ro["observations"]).float().flatten(0, 1),
                        "actions": torch.as_tensor(ro["actions"]).long().flatten(),
                        "log_probs": torch.as_tensor(ro["log_probs"]).float().flatten(),
                        "advantages": torch.as_tensor(adv).float().flatten(),
                        "returns": torch.as_tensor(ret).float().flatten(),
                    }
                    (numbers,) = finished_update(model, optimizer, batch, config, rng)
                    steps += ro["rewards"].size
                    if log:
                        log(steps, mean_return=episodes.mean, learning_rate=rate, **numbers)
                envs.close()
                return model
        """,
        "its own rollout": """
            def train_ppo(env_id, config, seed, log=None):
                torch.manual_seed(seed)
                rng, gamma, n = np.random.default_rng(seed), config["gamma"], config["n_envs"]
                envs = make_vec(env_id, n, seed)
                d, a = envs.single_observation_space.shape[0], int(envs.single_action_space.n)
                model = build_actor_critic(d, a, shared=False)
                optimizer = torch.optim.Adam(model.parameters(), lr=1.0, eps=1e-5)
                obs, _ = envs.reset(seed=seed)
                start, running, ended_returns = np.ones(n), np.zeros(n), [0.0]
                for u in range(config["n_updates"]):
                    rate = config["learning_rate"] * (config["n_updates"] - u) / config["n_updates"]
                    optimizer.param_groups[0]["lr"] = rate
                    rows = []
                    with torch.no_grad():
                        for _ in range(config["n_steps"]):
                            x = torch.tensor(obs, dtype=torch.float32)
                            logits, v = model(x)
                            log_pi = logits.log_softmax(1)
                            act = log_pi.exp().multinomial(1)
                            obs, r, dead, cut, info = envs.step(act[:, 0].numpy())
                            running += r
                            extra = np.zeros(n)
                            for i in np.flatnonzero(dead | cut):
                                ended_returns.append(running[i])
                                running[i] = 0.0
                                if not dead[i]:
                                    last = torch.tensor(info["final_obs"][i][None]).float()
                                    extra[i] = gamma * model(last)[1].item()
                            chosen = log_pi.gather(1, act)[:, 0]
                            rows.append((x, act[:, 0], chosen, r + extra, v, start))
                            start = (dead | cut).astype(float)
                        last_value = model(torch.tensor(obs, dtype=torch.float32))[1].numpy()
                    x, acts, logs, r, v, d = (
                        np.stack([np.asarray(one) for one in column]) for column in zip(*rows)
                    )
                    adv, ret = compute_gae(r, v, d, last_value, start, gamma, config["gae_lambda"])
                    batch = dict(observations=x, log_probs=logs, advantages=adv, returns=ret)
                    batch = {k: torch.tensor(flatten_batch(c)).float() for k, c in batch.items()}
                    batch["actions"] = torch.tensor(acts.reshape(-1))
                    numbers = finished_update(model, optimizer, batch, config, rng)[0]
                    numbers |= {"learning_rate": rate, "mean_return": np.mean(ended_returns[-20:])}
                    if log is not None:
                        log((u + 1) * r.size, **numbers)
                return model
        """,
        "a scheduler of PyTorch": """
            def train_ppo(env_id, config, seed, log=None):
                torch.manual_seed(seed)
                rng, (t, n) = np.random.default_rng(seed), (config["n_steps"], config["n_envs"])
                envs, total = make_vec(env_id, n, seed), config["n_updates"]
                first = envs.reset(seed=seed)[0]
                model = build_actor_critic(
                    first.shape[1], int(envs.single_action_space.n), shared=False
                )
                optimizer = torch.optim.Adam(
                    model.parameters(), lr=config["learning_rate"], eps=1e-5
                )
                scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda u: 1 - u / total)
                class Actor:
                    def __call__(self, x):
                        with torch.no_grad():
                            logits, v = model(torch.tensor(np.asarray(x, np.float32)))
                            pi = torch.softmax(logits, dim=1)
                            a = torch.multinomial(pi, 1, replacement=True)
                            logs = pi.log().gather(1, a).view(-1)
                            return a.squeeze(1).numpy(), logs.numpy(), v.numpy()
                actor, carry, done, episodes = Actor(), (first, np.ones(n)), 0, EpisodeReturns(n)
                while done < total:
                    rollout, carry = collect_rollout(envs, actor, t, carry)
                    episodes.add(rollout)
                    final = np.stack([actor(row)[2] for row in rollout["final_observations"]])
                    rewards = np.where(
                        rollout["truncated"] & ~rollout["terminated"],
                        rollout["rewards"] + config["gamma"] * final, rollout["rewards"],
                    )
                    columns = dict(rollout)
                    columns["advantages"], columns["returns"] = compute_gae(
                        rewards, rollout["values"], rollout["dones"], actor(carry[0])[2], carry[1],
                        config["gamma"], config["gae_lambda"],
                    )
                    batch = {}
                    for name in ("observations", "actions", "log_probs", "advantages", "returns"):
                        kind = torch.int64 if name == "actions" else torch.float32
                        batch[name] = torch.as_tensor(flatten_batch(columns[name])).to(kind)
                    (rate,) = scheduler.get_last_lr()
                    numbers = finished_update(model, optimizer, batch, config, rng)[-1]
                    scheduler.step()
                    done += 1
                    if log is not None:
                        log(done * t * n, learning_rate=rate, mean_return=episodes.mean, **numbers)
                envs.close()
                return model
        """,
        "drawn with Gumbel noise": """
            def train_ppo(env_id, config, seed, log=None):
                torch.manual_seed(seed)
                rng = np.random.default_rng(seed)
                noise = np.random.default_rng(seed + 1)
                n, gamma, lam = config["n_envs"], config["gamma"], config["gae_lambda"]
                envs = make_vec(env_id, n, seed)
                actions_n = int(envs.single_action_space.n)
                model = build_actor_critic(
                    envs.single_observation_space.shape[0], actions_n, shared=False
                )
                optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-5)
                rates = np.linspace(config["learning_rate"], 0, config["n_updates"], endpoint=False)
                def act(observations):
                    with torch.inference_mode():
                        logits, values = model(torch.tensor(observations, dtype=torch.float32))
                    z = logits.numpy()
                    log_pi = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
                    chosen = (log_pi + noise.gumbel(size=log_pi.shape)).argmax(axis=1)
                    return chosen, log_pi[np.arange(len(z)), chosen], values.numpy()
                carry, episodes = (envs.reset(seed=seed)[0], np.ones(n)), EpisodeReturns(n)
                for number, rate in enumerate(rates, 1):
                    optimizer.param_groups[0]["lr"] = float(rate)
                    roll, carry = collect_rollout(envs, act, config["n_steps"], carry)
                    episodes.add(roll)
                    rewards = roll["rewards"].copy()
                    for t, i in zip(*np.nonzero(roll["truncated"] > roll["terminated"])):
                        rewards[t, i] += gamma * act(roll["final_observations"][t, i][None])[2][0]
                    last = act(carry[0])[2]
                    adv, ret = compute_gae(
                        rewards, roll["values"], roll["dones"], last, carry[1], gamma, lam
                    )
                    floats = {**roll, "advantages": adv, "returns": ret}
                    batch = {
                        name: torch.from_numpy(np.float32(flatten_batch(floats[name])))
                        for name in ("observations", "log_probs", "advantages", "returns")
                    }
                    batch["actions"] = torch.from_numpy(np.int64(flatten_batch(roll["actions"])))
                    seen = finished_update(model, optimizer, batch, config, rng)[-1]
                    if log is not None:
                        seen["learning_rate"], seen["mean_return"] = float(rate), episodes.mean
                        log(number * roll["rewards"].size, **seen)
                envs.close()
                return model
        """,
        "in small functions": """
            def draw(model, observations):
                with torch.no_grad():
                    logits, values = model(torch.as_tensor(observations, dtype=torch.float32))
                    pi = torch.distributions.Categorical(logits=logits)
                    actions = pi.sample()
                return actions.numpy(), pi.log_prob(actions).numpy(), values.numpy()
            def worth(model, rollout, carry, config):
                gamma, shape = config["gamma"], rollout["rewards"].shape
                final = draw(model, flatten_batch(rollout["final_observations"]))[2].reshape(shape)
                rewards = add_truncation_bootstrap(
                    rollout["rewards"], rollout["truncated"], rollout["terminated"], final, gamma
                )
                last = draw(model, carry[0])[2]
                return compute_gae(
                    rewards, rollout["values"], rollout["dones"], last, carry[1],
                    gamma, config["gae_lambda"],
                )
            def tensors(rollout, advantages, returns):
                columns = {
                    "observations": rollout["observations"], "log_probs": rollout["log_probs"],
                    "advantages": advantages, "returns": returns,
                }
                batch = {k: torch.as_tensor(flatten_batch(x)).float() for k, x in columns.items()}
                batch["actions"] = torch.as_tensor(flatten_batch(rollout["actions"])).long()
                return batch
            def train_ppo(env_id, config, seed, log=lambda step, **numbers: None):
                log = log or (lambda step, **numbers: None)
                torch.manual_seed(seed)
                rng, u, step = np.random.default_rng(seed), config["n_updates"], 0
                envs = make_vec(env_id, config["n_envs"], seed)
                sizes = envs.single_observation_space.shape[0], int(envs.single_action_space.n)
                model = build_actor_critic(*sizes, shared=False)
                optimizer = torch.optim.Adam(model.parameters(), eps=1e-5)
                carry = envs.reset(seed=seed)[0], np.ones(config["n_envs"])
                episodes = EpisodeReturns(config["n_envs"])
                for left in range(u, 0, -1):
                    rate = optimizer.param_groups[0]["lr"] = config["learning_rate"] * left / u
                    rollout, carry = collect_rollout(
                        envs, lambda x: draw(model, x), config["n_steps"], carry
                    )
                    episodes.add(rollout)
                    batch = tensors(rollout, *worth(model, rollout, carry, config))
                    seen = finished_update(model, optimizer, batch, config, rng)[-1]
                    step += len(batch["actions"])
                    log(step, learning_rate=rate, mean_return=episodes.mean, **seen)
                envs.close()
                return model
        """,
    },
}

_LOOP = "for update in range(1, config"
_PIECES = 'torch.split(order, config["minibatch_size"])'
_ORDER = 'order = torch.from_numpy(rng.permutation(len(batch["actions"])))'

#: Classic mistakes of learners by exercise: name -> (text in the solution, what stands there).
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "make_optimizer": {
        "PyTorch's epsilon": (", eps=1e-5", ""),
        "a larger epsilon": ("eps=1e-5", "eps=1e-3"),
        "a fixed learning rate": ("lr=learning_rate", "lr=3e-4"),
        "the default learning rate": ("lr=learning_rate, ", ""),
        "another optimiser": ("torch.optim.Adam(", "torch.optim.RMSprop("),
        "plain gradient steps": (
            "torch.optim.Adam(parameters, lr=learning_rate, eps=1e-5)",
            "torch.optim.SGD(parameters, lr=learning_rate)",
        ),
        "weight decay": ("eps=1e-5", "eps=1e-5, weight_decay=0.01"),
        "the first tensor only": ("Adam(parameters,", "Adam(list(parameters)[:1],"),
        "goes through them twice": ("return", "assert len(list(parameters)) > 0; return"),
        "climbs": ("eps=1e-5", "eps=1e-5, maximize=True"),
    },
    "annealed": {
        "counts from 0": ("(update - 1) / n_updates", "update / n_updates"),
        "0 at the last update": (
            "(update - 1) / n_updates",
            "(update - 1) / max(n_updates - 1, 1)",
        ),
        "rises": ("1.0 - (update - 1) / n_updates", "(update - 1) / n_updates"),
        "whole numbers": ("/ n_updates", "// n_updates"),
        "never changes": ("start * (1.0 - (update - 1) / n_updates)", "start"),
        "a curve": ("start * (1.0 - (update - 1) / n_updates)", "start * 0.9 ** (update - 1)"),
        "starts at 1": ("start * (", "("),
    },
    "clip_grads": {
        "a norm for each tensor": (
            "[gradient * factor for gradient in gradients]",
            "[g * min(1.0, max_norm / (g.norm().item() + 1e-6)) for g in gradients]",
        ),
        "clips each number": (
            "[gradient * factor for gradient in gradients]",
            "[gradient.clamp(-max_norm, max_norm) for gradient in gradients]",
        ),
        "makes short gradients longer": (
            "min(1.0, max_norm / (norm + 1e-6))",
            "max_norm / (norm + 1e-6)",
        ),
        "no root": ("math.sqrt(sum(", "float(sum("),
        "sum of norms": (
            "math.sqrt(sum((gradient.double() ** 2).sum().item() for gradient in gradients))",
            "sum(gradient.norm().item() for gradient in gradients)",
        ),
        "the largest number": (
            "math.sqrt(sum((gradient.double() ** 2).sum().item() for gradient in gradients))",
            "max(gradient.abs().max().item() for gradient in gradients)",
        ),
        "in place": ("[gradient * factor for", "[gradient.mul_(factor) for"),
        "the norm afterwards": (
            "for gradient in gradients], norm",
            "for gradient in gradients], norm * factor",
        ),
        "divides by 0": ("(norm + 1e-6)", "norm"),
        "no norm": ("for gradient in gradients], norm", "for gradient in gradients]"),
    },
    "average_gradients": {
        "a mean of means": (
            "torch.stack(parts).sum(dim=0)",
            "torch.stack(of_one_tensor).mean(dim=0)",
        ),
        "a sum": ("gradient * (size / total)", "gradient"),
        "weights without their sum": ("(size / total)", "size"),
        "NaN of an empty worker": (" if size > 0]", "]"),
        "workers with samples count alike": (
            "gradient * (size / total)",
            "gradient / sum(n > 0 for n in sizes)",
        ),
        "the first worker": ("torch.stack(parts).sum(dim=0)", "parts[0]"),
        "one list per worker": ("zip(*workers)", "workers"),
        "weights turned round": ("(size / total)", "((total - size) / total)"),
        "one number for each tensor": ("torch.stack(parts).sum(dim=0)", "torch.stack(parts).sum()"),
    },
    "ppo_update": {
        "gradients pile up": ("optimizer.zero_grad()", "pass"),
        "zero_grad after backward": (
            "            loss.backward()",
            "            loss.backward(); optimizer.zero_grad()",
        ),
        "no bound on the gradient": (
            'nn.utils.clip_grad_norm_(model.parameters(), config["max_grad_norm"])',
            "pass",
        ),
        "the bound comes before backward": (
            "            loss.backward()\n"
            '            nn.utils.clip_grad_norm_(model.parameters(), config["max_grad_norm"])',
            '            nn.utils.clip_grad_norm_(model.parameters(), config["max_grad_norm"])\n'
            "            loss.backward()",
        ),
        "each number is bounded": ("clip_grad_norm_(", "clip_grad_value_("),
        "no step": ("            optimizer.step()", "            pass"),
        "the entropy is punished": ('- config["ent_coef"]', '+ config["ent_coef"]'),
        "the critic does not learn": ('+ config["vf_coef"] * value_loss', ""),
        "no half in the value loss": ("0.5 * ((values", "((values"),
        "the sign of the policy loss": ("policy_loss = -torch", "policy_loss = torch"),
        "maximum, not minimum": ("torch.minimum(", "torch.maximum("),
        "a column of values": ("(values - returns)", "(values[:, None] - returns)"),
        "never shuffled": (_ORDER, 'order = torch.arange(len(batch["actions"]))'),
        "drawn with replacement": (
            "rng.permutation(len",
            'rng.integers(len(batch["actions"]), size=len',
        ),
        "one epoch": ('range(config["n_epochs"])', "range(1)"),
        "the last piece is dropped": (
            _PIECES,
            '[p for p in torch.split(order, config["minibatch_size"])'
            ' if len(p) == config["minibatch_size"]]',
        ),
        "not normalised": ("if len(index) > 1:", "if False:"),
        "one sample gives NaN": ("if len(index) > 1:", "if True:"),
        "normalised once for the batch": (
            "advantages - advantages.mean()) / (advantages.std()",
            'advantages - batch["advantages"].mean()) / (batch["advantages"].std()',
        ),
        "stops after the step": (
            "                return history",
            "                config = config | {'n_epochs': 0}",
        ),
        "target_kl without 1.5": ("1.5 * target_kl", "target_kl"),
        "skips the minibatch, goes on": (
            "                return history",
            "                continue",
        ),
        "k1, not k3": ("((ratio - 1.0) - logratio).mean()", "(-logratio).mean()"),
        "old and new are exchanged": (
            "log_pi.gather(1, actions[:, None])[:, 0] - old_log_probs",
            "old_log_probs - log_pi.gather(1, actions[:, None])[:, 0]",
        ),
        "log probabilities of now are stored": (
            "- old_log_probs",
            "- log_pi.gather(1, actions[:, None])[:, 0].detach()",
        ),
    },
    "train_ppo": {
        "the returns are the advantages": ('"returns": returns}', '"returns": advantages}'),
        "the rewards are the advantages": ('"advantages": advantages', '"advantages": rewards'),
        "a time limit is an end": (
            '            rewards, rollout["values"]',
            '            rollout["rewards"], rollout["values"]',
        ),
        "gamma is forgotten": (
            "last_value, carry[1], gamma, config",
            "last_value, carry[1], 1.0, config",
        ),
        "environments before steps": (
            'torch.tensor(flatten_batch(rollout["actions"]), dtype=torch.int64)',
            'torch.tensor(rollout["actions"].T.reshape(-1), dtype=torch.int64)',
        ),
        "the most likely action": (
            "torch.multinomial(log_pi.exp(), 1)",
            "log_pi.argmax(dim=1, keepdim=True)",
        ),
        "the model is not seeded": ("torch.manual_seed(seed)", "torch.seed()"),
        "the order is not seeded": ("np.random.default_rng(seed)", "np.random.default_rng()"),
        "acts on something else than it stores": (
            "model(torch.as_tensor(observations,",
            "model(torch.as_tensor(-observations,",
        ),
        "never annealed": ('optimizer.param_groups[0]["lr"] = learning_rate', "pass"),
        "the first rate is logged": (
            "learning_rate=learning_rate, mean",
            'learning_rate=config["learning_rate"], mean',
        ),
        "steps of one environment": ("log(update * n_steps * n_envs,", "log(update * n_steps,"),
        "log is always called": ("        if log is not None:\n    ", "        if True:\n    "),
        "nothing is returned": ("    return model", "    return None"),
        "an untrained copy is returned": (
            "    return model",
            "    return build_actor_critic(envs.single_observation_space.shape[0],"
            " int(envs.single_action_space.n), shared=False)",
        ),
        "starts anew in each update": (
            _LOOP,
            "for model_ in [model]: optimizer = torch.optim.Adam(\n"
            "        build_actor_critic(1, 1, shared=False).parameters(), lr=1e-2)\n"
            "    for update in range(1, config",
        ),
    },
}

_TWO = "logits have two dimensions"
_TINY = "the size of the tiny number is chapter 7's; here it only has to avoid 0 / 0"
#: Mutants that are right answers too: the change as printed -> why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "clip_grads": {
        "8: min(1.0, max_norm / (norm + 1e-06)) -> min(max_norm / (norm + 1e-06), 1.0)": "the"
        " smaller, either way",
        "7: (gradient.double() ** 2).sum().item() -> (gradient.double() ** 2).sum()": "math.sqrt"
        " takes a tensor of one number",
        "7: gradient.double() -> gradient": "float32 is exact enough for one norm",
        "7: gradient -> -gradient": "it is squared",
    },
    "average_gradients": {"10: 0 -> 0.0": "0 and 0.0 compare alike"},
    "ppo_update": {
        "51: weight.detach().clone() -> weight.detach()": "nobody changes the weights afterwards",
        "33: approx_kl > 1.5 * target_kl -> approx_kl >= 1.5 * target_kl": "only rounding decides"
        " whether they are equal",
        "16: 1 -> -1": _TWO,
        "17: 1 -> -1": _TWO,
        "24: 1 -> -1": _TWO,
        "17: 0 -> -1": "gather gives one column, which is the first and the last",
        **{
            f"19: index -> {name}": "one row for each sample of the minibatch as well"
            for name in (
                *("-index", "actions", "advantages", "log_pi", "logits", "logratio"),
                *("observations", "old_log_probs", "ratio", "returns", "values"),
            )
        },
        "20: advantages.std() + 1e-08 -> advantages.std() - 1e-08": _TINY,
        "20: 1e-08 -> -1e-08": _TINY,
        "20: 1e-08 -> 5e-09": _TINY,
        "20: advantages -> -advantages": "a deviation does not change with the sign",
        "36: optimizer -> model": "the optimiser has all parameters of the model",
        "22: torch.minimum(ratio * advantages, clipped * advantages)"
        " -> torch.minimum(clipped * advantages, ratio * advantages)": "the same, either way round",
        "23: values - returns -> returns - values": "it is squared",
        "31: (ratio - 1.0).abs() > clip_range -> (ratio - 1.0).abs() >= clip_range": "only rounding"
        " decides whether a ratio is exactly on the limit",
        "31: ratio - 1.0 -> 1.0 - ratio": "the absolute value follows",
    },
    "train_ppo": {
        "39: rollout -> columns": "columns has all that rollout has",
        "21: 1 -> -1": "logits have two dimensions",
        "21: log_pi.gather(1, actions)[:, 0].numpy() -> log_pi.gather(1, actions)[:, 0]": "the"
        " rollout makes arrays of tensors, too",
    },
}

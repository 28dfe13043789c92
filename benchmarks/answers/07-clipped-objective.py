"""Answers of chapter 07: right ones, classic mistakes, mutants that are right too."""

from __future__ import annotations

#: Right answers by exercise: name -> code.
VARIANTS: dict[str, dict[str, str]] = {
    "clipped_policy_loss": {
        "by the sign of the advantage": """
            def clipped_policy_loss(logratio, advantages, clip_range):
                ratio = logratio.exp()
                good = ratio.clamp(max=1 + clip_range)
                bad = ratio.clamp(min=1 - clip_range)
                return -(torch.where(advantages > 0, good, bad) * advantages).mean()
        """,
        "the maximum of two losses": """
            def clipped_policy_loss(logratio, advantages, clip_range):
                ratio = torch.exp(logratio)
                first = -advantages * ratio
                second = -advantages * torch.clamp(ratio, 1 - clip_range, 1 + clip_range)
                return torch.max(first, second).mean()
        """,
        "one sample at a time": """
            def clipped_policy_loss(logratio, advantages, clip_range):
                losses = []
                for log, advantage in zip(logratio, advantages):
                    ratio = log.exp()
                    inside = ratio.clip(1 - clip_range, 1 + clip_range)
                    losses.append(-torch.minimum(ratio * advantage, inside * advantage))
                return torch.stack(losses).mean()
        """,
        "stacked, then the smallest": """
            def clipped_policy_loss(logratio, advantages, clip_range):
                ratio = logratio.exp()
                both = torch.stack([ratio, ratio.clamp(1 - clip_range, 1 + clip_range)])
                return (both * advantages).amin(dim=0).mean().neg()
        """,
        "a sum over the size": """
            def clipped_policy_loss(logratio, advantages, clip_range):
                ratio = logratio.exp()
                limits = 1 + clip_range * torch.sign(advantages)
                gain = torch.minimum(ratio * advantages, limits * advantages)
                return -gain.sum() / len(gain)
        """,
    },
    "clip_gradient_mask": {
        "not far enough": """
            def clip_gradient_mask(logratio, advantages, clip_range):
                ratio = logratio.exp()
                is_done = (advantages > 0) & (ratio > 1 + clip_range)
                is_done |= (advantages < 0) & (ratio < 1 - clip_range)
                return ~is_done & (advantages != 0)
        """,
        "by one product": """
            def clip_gradient_mask(logratio, advantages, clip_range):
                sign = torch.sign(advantages)
                return (sign * (logratio.exp() - 1) < clip_range) & (sign != 0)
        """,
        "in logarithms": """
            def clip_gradient_mask(logratio, advantages, clip_range):
                below = logratio < math.log(1 + clip_range)
                lowest = math.log(1 - clip_range) if clip_range < 1 else -math.inf
                above = logratio > lowest
                return torch.where(advantages > 0, below, above & (advantages < 0))
        """,
        "one sample at a time": """
            def clip_gradient_mask(logratio, advantages, clip_range):
                mask = []
                for log, advantage in zip(logratio.tolist(), advantages.tolist()):
                    ratio = math.exp(log)
                    if advantage > 0:
                        mask.append(ratio < 1 + clip_range)
                    elif advantage < 0:
                        mask.append(ratio > 1 - clip_range)
                    else:
                        mask.append(False)
                return torch.tensor(mask, dtype=torch.bool)
        """,
        "from the two terms": """
            def clip_gradient_mask(logratio, advantages, clip_range):
                ratio = logratio.exp()
                plain = ratio * advantages
                clipped = ratio.clamp(1 - clip_range, 1 + clip_range) * advantages
                return (plain <= clipped) & (advantages != 0)
        """,
    },
    "normalize_advantages": {
        "from sums": """
            def normalize_advantages(advantages, eps=1e-8):
                size = advantages.numel()
                if size < 2:
                    return 1.0 * advantages
                mean = advantages.sum() / size
                variance = ((advantages - mean) ** 2).sum() / (size - 1)
                return (advantages - mean) / (variance.sqrt() + eps)
        """,
        "std_mean": """
            def normalize_advantages(advantages, eps=1e-8):
                if len(advantages) > 1:
                    deviation, mean = torch.std_mean(advantages)
                    return (advantages - mean) / (deviation + eps)
                return advantages
        """,
        "with NumPy": """
            def normalize_advantages(advantages, eps=1e-8):
                x = advantages.detach().numpy()
                if x.size == 1:
                    return torch.from_numpy(x.copy())
                return torch.from_numpy((x - x.mean()) / (x.std(ddof=1) + x.dtype.type(eps)))
        """,
        "in float64, and back": """
            def normalize_advantages(advantages, eps=1e-8):
                x = advantages.double()
                if x.shape[0] == 1:
                    return advantages.clone()
                x = (x - x.mean()) / (torch.std(x, correction=1) + eps)
                return x.to(advantages.dtype)
        """,
        "the root of the variance": """
            def normalize_advantages(advantages, eps=1e-8):
                if advantages.shape == (1,):
                    return advantages.clone()
                scale = torch.sqrt(torch.var(advantages, unbiased=True)) + eps
                return torch.sub(advantages, torch.mean(advantages)).div(scale)
        """,
    },
    "clipped_value_loss": {
        "clamped between two values": """
            def clipped_value_loss(values, old_values, returns, clip_range):
                plain = (values - returns).square()
                if clip_range is None:
                    return plain.mean() / 2
                near = torch.clamp(values, old_values - clip_range, old_values + clip_range)
                return torch.max(plain, (near - returns).square()).mean() / 2
        """,
        "None is infinity": """
            def clipped_value_loss(values, old_values, returns, clip_range):
                limit = math.inf if clip_range is None else clip_range
                near = old_values + (values - old_values).clip(-limit, limit)
                both = torch.stack([values - returns, near - returns]) ** 2
                return 0.5 * both.amax(dim=0).mean()
        """,
        "one sample at a time": """
            def clipped_value_loss(values, old_values, returns, clip_range):
                total = 0.0
                for v, old, target in zip(values, old_values, returns):
                    error = (v - target) ** 2
                    if clip_range is not None:
                        near = old + torch.clamp(v - old, -clip_range, clip_range)
                        error = torch.maximum(error, (near - target) ** 2)
                    total = total + error / 2
                return total / len(values)
        """,
        "torch's own losses": """
            def clipped_value_loss(values, old_values, returns, clip_range):
                mse = torch.nn.functional.mse_loss
                plain = mse(values, returns, reduction="none")
                if clip_range is None:
                    return 0.5 * torch.mean(plain)
                change = (values - old_values).clamp(min=-clip_range, max=clip_range)
                return 0.5 * torch.mean(
                    torch.maximum(plain, mse(old_values + change, returns, reduction="none"))
                )
        """,
        "the larger distance, then squared": """
            def clipped_value_loss(values, old_values, returns, clip_range):
                distance = (values - returns).abs()
                if clip_range is not None:
                    low, high = old_values - clip_range, old_values + clip_range
                    near = torch.minimum(torch.maximum(values, low), high)
                    distance = torch.maximum(distance, (near - returns).abs())
                return (distance * distance).sum() / (2 * distance.numel())
        """,
    },
    "total_loss": {
        "torch.distributions": """
            def total_loss(policy_loss, value_loss, logits, vf_coef, ent_coef):
                entropy = torch.distributions.Categorical(logits=logits).entropy().mean()
                return policy_loss + vf_coef * value_loss - ent_coef * entropy
        """,
        "softmax and log_softmax": """
            def total_loss(policy_loss, value_loss, logits, vf_coef, ent_coef):
                pi = torch.softmax(logits, -1)
                entropy = -(pi * torch.nn.functional.log_softmax(logits, -1)).sum(-1)
                return policy_loss + vf_coef * value_loss - ent_coef * entropy.mean()
        """,
        "negative entropy": """
            def total_loss(policy_loss, value_loss, logits, vf_coef, ent_coef):
                log_pi = logits - torch.logsumexp(logits, dim=1, keepdim=True)
                certainty = (log_pi.exp() * log_pi).sum() / len(logits)
                return policy_loss + vf_coef * value_loss + ent_coef * certainty
        """,
        "logsumexp minus the expected logit": """
            def total_loss(policy_loss, value_loss, logits, vf_coef, ent_coef):
                z = logits - logits.max(dim=1, keepdim=True).values
                weights = z.exp() / z.exp().sum(dim=1, keepdim=True)
                entropy = z.exp().sum(dim=1).log() - (weights * z).sum(dim=1)
                return policy_loss + vf_coef * value_loss - ent_coef * torch.mean(entropy)
        """,
        "special.entr": """
            def total_loss(policy_loss, value_loss, logits, vf_coef, ent_coef):
                bonus = torch.special.entr(logits.softmax(dim=1)).sum(dim=1).mean()
                return torch.stack([policy_loss, vf_coef * value_loss, -ent_coef * bonus]).sum()
        """,
    },
    "diagnostics": {
        "with NumPy": """
            def diagnostics(logratio, clip_range, returns, values):
                x, y, v = (t.detach().numpy().astype(float) for t in (logratio, returns, values))
                ratio, spread = np.exp(x), np.var(y)
                return {
                    "k1": float(-x.mean()),
                    "k3": float(np.mean(ratio - 1 - x)),
                    "clip_fraction": float(np.mean(abs(ratio - 1) > clip_range)),
                    "explained_variance": float(1 - np.var(y - v) / spread) if spread else np.nan,
                }
        """,
        "without gradients": """
            @torch.no_grad()
            def diagnostics(logratio, clip_range, returns, values):
                ratio = torch.exp(logratio)
                outside = (ratio > 1 + clip_range) | (ratio < 1 - clip_range)
                spread = torch.var(returns, correction=0)
                left = torch.var(returns - values, correction=0)
                explained = float("nan") if spread == 0 else float(1 - left / spread)
                return dict(
                    k1=float((-logratio).mean()),
                    k3=float((ratio - 1 - logratio).mean()),
                    clip_fraction=float(outside.float().mean()),
                    explained_variance=explained,
                )
        """,
        "expm1": """
            def diagnostics(logratio, clip_range, returns, values):
                with torch.no_grad():
                    change = torch.expm1(logratio)
                    result = {"k1": -logratio.mean(), "k3": (change - logratio).mean()}
                    result["clip_fraction"] = (change.abs() > clip_range).double().mean()
                    centred, error = returns - returns.mean(), returns - values
                    top = ((error - error.mean()) ** 2).sum()
                    result["explained_variance"] = 1 - top / (centred ** 2).sum()
                    if bool((returns == returns[0]).all()):
                        result["explained_variance"] = math.nan
                return {name: float(value) for name, value in result.items()}
        """,
        "in plain Python": """
            import statistics
            def diagnostics(logratio, clip_range, returns, values):
                logs, goals, guesses = logratio.tolist(), returns.tolist(), values.tolist()
                ratios = [math.exp(x) for x in logs]
                spread = statistics.pvariance(goals)
                left = statistics.pvariance([y - v for y, v in zip(goals, guesses)])
                return {
                    "k1": -statistics.fmean(logs),
                    "k3": statistics.fmean(r - 1 - x for r, x in zip(ratios, logs)),
                    "clip_fraction": sum(abs(r - 1) > clip_range for r in ratios) / len(ratios),
                    "explained_variance": 1 - left / spread if spread else float("nan"),
                }
        """,
        "a minus sign later": """
            def diagnostics(logratio, clip_range, returns, values):
                x = logratio.detach().double()
                y, v = returns.detach().double(), values.detach().double()
                spread = y.std(correction=0).item() ** 2
                k1 = x.mean().item() * -1.0
                k3 = x.exp().mean().item() - 1.0 + k1
                share = torch.count_nonzero((x.exp() - 1).abs() > clip_range).item() / x.numel()
                left = (y - v).std(correction=0).item() ** 2
                explained = (spread - left) / spread if spread > 0 else math.nan
                if k3 == 0 or abs(k3) < 1e-15:
                    k3 = 0.0
                return {"k1": k1, "k3": k3, "clip_fraction": share, "explained_variance": explained}
        """,
    },
}

_POLICY = "torch.minimum(ratio * advantages, clipped * advantages)"
_CLIPPED = "torch.clamp(ratio, 1.0 - clip_range, 1.0 + clip_range)"
_VALUE = "torch.maximum(errors, clipped_errors)"

#: Classic mistakes of learners by exercise: name -> (text in the solution, what stands there).
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "clipped_policy_loss": {
        "the sign of an objective": ("return -objective.mean()", "return objective.mean()"),
        "maximum, not minimum": ("torch.minimum(", "torch.maximum("),
        "the clipped term alone": (_POLICY, "clipped * advantages"),
        "no clipping": (_POLICY, "ratio * advantages"),
        "the logarithm is taken for the ratio": ("torch.exp(logratio)", "logratio + 1.0"),
        "the advantage only once": (_POLICY, "torch.minimum(ratio, clipped) * advantages"),
        "sum, not mean": ("objective.mean()", "objective.sum()"),
        "the logarithm is clipped": (
            _CLIPPED,
            "torch.clamp(logratio, -clip_range, clip_range).exp()",
        ),
        "detached": ("torch.exp(logratio)", "torch.exp(logratio.detach())"),
        "a Python number": ("-objective.mean()", "-objective.mean().item()"),
        "every pair of samples": ("clipped * advantages", "clipped[:, None] * advantages"),
    },
    "clip_gradient_mask": {
        "outside means no gradient": (
            "may_rise | may_fall",
            "((ratio - 1).abs() < clip_range) & (advantages != 0)",
        ),
        "the sides are exchanged": (
            "may_rise | may_fall",
            "((advantages > 0) & (ratio > 1 - clip_range))"
            " | ((advantages < 0) & (ratio < 1 + clip_range))",
        ),
        "the opposite mask": ("return may_rise | may_fall", "return ~(may_rise | may_fall)"),
        "advantages of 0 count": ("advantages > 0", "advantages >= 0"),
        "good actions only": ("return may_rise | may_fall", "return may_rise"),
        "both at once": ("may_rise | may_fall", "may_rise & may_fall"),
        "the logarithm is taken for the ratio": ("torch.exp(logratio)", "logratio"),
        "numbers, not bool": (
            "return may_rise | may_fall",
            "return (may_rise | may_fall).float()",
        ),
    },
    "normalize_advantages": {
        "divides by B": ("advantages.std()", "advantages.std(correction=0)"),
        "no mean": ("advantages - advantages.mean()", "advantages"),
        "no deviation": ("centred / (advantages.std() + eps)", "centred"),
        "variance, not deviation": ("advantages.std()", "advantages.var()"),
        "eps is left out": ("advantages.std() + eps", "advantages.std()"),
        "one sample gives NaN": ("len(advantages) == 1", "len(advantages) == 0"),
        "one sample gives 0": ("advantages.clone()", "advantages - advantages"),
        "in place": (
            "centred = advantages - advantages.mean()",
            "centred = advantages.sub_(advantages.mean())",
        ),
        "always float32": (
            "return centred / (advantages.std() + eps)",
            "return (centred / (advantages.std() + eps)).float()",
        ),
        "eps is fixed": ("advantages.std() + eps", "advantages.std() + 1e-8"),
    },
    "clipped_value_loss": {
        "minimum, not maximum": (_VALUE, "torch.minimum(errors, clipped_errors)"),
        "the clipped error alone": (_VALUE, "clipped_errors"),
        "no half": ("return 0.5 * errors.mean()", "return errors.mean()"),
        "the value is clipped, not its change": (
            "torch.clamp(values - old_values, -clip_range, clip_range)",
            "torch.clamp(values, -clip_range, clip_range)",
        ),
        "clipped around the return": (
            "old_values + change - returns",
            "torch.clamp(values - returns, -clip_range, clip_range)",
        ),
        "None is not thought of": ("if clip_range is not None:", "if True:"),
        "0.2 whatever was given": ("-clip_range, clip_range", "-0.2, 0.2"),
        "a column against a row": ("(values - returns) ** 2", "(values[:, None] - returns) ** 2"),
        "detached": ("(values - returns) ** 2", "(values.detach() - returns) ** 2"),
        "sum, not mean": ("errors.mean()", "errors.sum()"),
        "absolute error": ("(values - returns) ** 2", "(values - returns).abs()"),
    },
    "total_loss": {
        "entropy is punished": ("- ent_coef * entropies.mean()", "+ ent_coef * entropies.mean()"),
        "the sign of the entropy": ("-(log_pi.exp() * log_pi)", "(log_pi.exp() * log_pi)"),
        "the critic learns backwards": ("+ vf_coef * value_loss", "- vf_coef * value_loss"),
        "softmax over the batch": ("torch.log_softmax(logits, dim=1)", "logits.log_softmax(dim=0)"),
        "logarithm of a softmax": (
            "torch.log_softmax(logits, dim=1)",
            "torch.softmax(logits, dim=1).log()",
        ),
        "sum over states": ("entropies.mean()", "entropies.sum()"),
        "mean over actions": (
            "(log_pi.exp() * log_pi).sum(dim=1)",
            "(log_pi.exp() * log_pi).mean()",
        ),
        "coefficients exchanged": (
            "vf_coef * value_loss - ent_coef * entropies.mean()",
            "ent_coef * value_loss - vf_coef * entropies.mean()",
        ),
        "no bonus": (" - ent_coef * entropies.mean()", ""),
        "bits, not nats": ("entropies.mean()", "entropies.mean() / math.log(2)"),
        "probability of the likeliest": (
            "-(log_pi.exp() * log_pi).sum(dim=1)",
            "-log_pi.max(dim=1).values",
        ),
    },
    "diagnostics": {
        "k1 without its minus": ("k1 = -logratio.mean()", "k1 = logratio.mean()"),
        "k3 with the wrong sign inside": ("(ratio - 1.0) - logratio", "(ratio - 1.0) + logratio"),
        "k2 for k3": ("((ratio - 1.0) - logratio).mean()", "(0.5 * logratio**2).mean()"),
        "one side of the clip": ("(ratio - 1.0).abs() > clip_range", "(ratio - 1.0) > clip_range"),
        "the logarithm is compared": ("(ratio - 1.0).abs()", "logratio.abs()"),
        "a count, not a share": ("clipped.double().mean().item()", "clipped.double().sum().item()"),
        "residual variance": ("1.0 - unexplained / variance", "unexplained / variance"),
        "returns and values exchanged": (
            "returns.var(correction=0).item()",
            "values.var(correction=0).item()",
        ),
        "squared error, not variance": (
            "(returns - values).var(correction=0)",
            "((returns - values) ** 2).mean()",
        ),
        "0 for a constant": ("else math.nan", "else 0.0"),
        "tensors, not floats": ('"k1": k1.item()', '"k1": k1'),
        "one sample is NaN": ("returns.var(correction=0)", "returns.var()"),
    },
}

_TIE = "what happens exactly on a limit is left open, and no test comes there"
_ZERO = "0 and 0.0 compare alike"
_SIGN = "a deviation or variance does not change with the sign of its numbers"
_SQUARE = "it is squared"
_EITHER = "the same, either way round"
_ITEM = "item() takes the number of a tensor that carries a gradient as well"

#: Mutants that are right answers too: the change as printed -> why.
EQUIVALENT: dict[str, dict[str, str]] = {
    "clipped_policy_loss": {
        "10: torch.minimum(ratio * advantages, clipped * advantages)"
        " -> torch.minimum(clipped * advantages, ratio * advantages)": _EITHER,
    },
    "clip_gradient_mask": {
        "8: ratio < 1.0 + clip_range -> ratio <= 1.0 + clip_range": _TIE,
        "9: ratio > 1.0 - clip_range -> ratio >= 1.0 - clip_range": _TIE,
        "8: 0 -> 0.0": _ZERO,
        "9: 0 -> 0.0": _ZERO,
    },
    "normalize_advantages": {
        "8: advantages.clone() -> advantages": "the same value; nobody writes into it",
        "7: advantages -> -advantages": "its length is the same",
        "10: advantages -> -advantages": _SIGN,
        "10: advantages -> centred": "the deviation does not change with the mean",
    },
    "clipped_value_loss": {
        "7: values - returns -> returns - values": _SQUARE,
        "10: old_values + change - returns -> returns - (old_values + change)": _SQUARE,
        "11: torch.maximum(errors, clipped_errors)"
        " -> torch.maximum(clipped_errors, errors)": _EITHER,
        "11: torch.maximum -> torch.clip": "its second argument is the least value: a maximum",
        "9: values -> returns": "with the maximum, clipping R instead of v gives the same loss:"
        " the error of the clipped R is 0 or the distance of R from the limits, which v's error"
        " is below only where v is past the limit on R's side",
    },
    "total_loss": {
        "7: 1 -> -1": "logits have two dimensions",
        "8: 1 -> -1": "logits have two dimensions",
    },
    "diagnostics": {
        "7: logratio, returns, values = (logratio.detach(), returns.detach(), values.detach())"
        " -> pass": _ITEM,
        "7: logratio.detach() -> logratio": _ITEM,
        "7: returns.detach() -> returns": _ITEM,
        "7: values.detach() -> values": _ITEM,
        "11: (ratio - 1.0).abs() > clip_range -> (ratio - 1.0).abs() >= clip_range": "only rounding"
        " decides whether a ratio is exactly on the limit",
        "11: ratio - 1.0 -> 1.0 - ratio": "the absolute value follows",
        "12: returns -> -returns": _SIGN,
        "13: returns - values -> values - returns": _SIGN,
        "12: 0 -> 0.0": _ZERO,
        "13: 0 -> 0.0": _ZERO,
        "18: 0 -> 0.0": _ZERO,
    },
}

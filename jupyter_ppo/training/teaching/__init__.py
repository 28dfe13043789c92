"""The teaching library: every formula of the course as a short function, and PPO made of them.

To be read in one evening, in the order of the papers. ``jupyter_ppo.training.objective`` belongs to
it: the formulas of PPO itself, in NumPy.

What leads to PPO:

1. ``bandits``: one state; the softmax, its score, and REINFORCE.
2. ``returns``: what an action was worth; TD errors, n steps, the weights of GAE.
3. ``distributions``: pi(a|s) for a batch, and its logarithms.
4. ``networks``: how they begin, and their shapes.
5. ``gradients``: Adam's epsilon, annealing, clipping, the mean over workers.
6. ``policy_gradient``: REINFORCE and the actor-critic, one gradient step each.
7. ``vector``: acting in N environments at once, and minibatches of what was seen.

PPO, as fast as it goes without becoming hard to read:

8. ``objective``, beside this package: GAE, the clipped objective, both value losses, diagnostics.
9. ``actor_critic``: the policy pi(a|s) and the value function V(s), as two networks.
10. ``rollout``: acting in N environments for T steps, and what every action was worth.
11. ``optimizer``: one step down a gradient.
12. ``update``: the clipped objective, and K epochs of such steps on it.
13. ``ppo``: both in turns; ``train_ppo(spec)`` is Algorithm 1 of the paper.

What games, robots and memory need on top, and how to tell whether it works:

14. ``frames``: what stands between an Atari game and its agent.
15. ``normalizing``: running scales of observations and rewards.
16. ``recurrent``: the LSTM, its states and its minibatches.
17. ``probes``: five tiny environments that find bugs in seconds.
18. ``scores``: comparing algorithms by a few runs each.

1, 2, 8, 14, 15 and 18 need NumPy only. ``docs/teaching-library.md`` says which chapter uses which
function, and from which equation it comes.

Sources, cited as [S], [G] and [H]: Schulman et al. 2017, "Proximal Policy Optimization Algorithms",
arXiv:1707.06347; Schulman et al. 2016, "High-Dimensional Continuous Control Using Generalized
Advantage Estimation", arXiv:1506.02438; Huang et al. 2022, "The 37 Implementation Details of
Proximal Policy Optimization".

Letters in shapes: N environments, T steps of a rollout, D numbers in an observation, A actions, or
numbers in a continuous action, B samples in a batch, S states.

9 to 13 compute what Stable-Baselines3's PPO computes, which the tests compare number by number, at
less cost. What they spend no time on is said where it happens. Where a formula stands here twice,
the other place says why: one is to be read, the other to be fast or to be differentiated.
"""

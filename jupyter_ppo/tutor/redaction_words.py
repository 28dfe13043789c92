"""Words that are names and something else besides, and how people introduce themselves."""

# ruff: noqa: RUF001, SIM905 - lists of words; apostrophes and letters as people write them

from __future__ import annotations

import builtins
import keyword

#: In small letters: names of people that also are words of the field, of English or of code.
_WORDS = """
adam adagrad alpha amp angel april art ash august autumn axel baker bar batch baum bell berg beta
bill bird black bob booth brook brown buck buffer bush carol case cash chance charity chase chi
christian chuck clay clip cliff code coin cole con cook core count critic cross curry dale data
dawn day dean delta dick dim dot drew duke dusk earl eden edge epoch epsilon eta event ever eve
faith fan far field fields finite fisher flora floor ford forest forward foster fox frame frank
free freeman gage gamma gauss gay gene glass gold good grace grad grant gray green gym gymnasium
hall hand hank happy hazel head heath hill hope hunt hunter ian ice iris iris ivy jack jade jay
jean jewel jordan joy june jupiter kappa key king kit knight lab lam lambda lane lap law leaf lean
lee levy lily long loss love luck major marina mark markov mars mary mason mat matt max may mean
median melody mercy mia miles mill mills min miller mina model moe moment monte moon moore mu nash
nat near nick nil noise norm norman north nu null numpy olive omega opal optim page paige park
parker patience paul pat pearl pearson penny person peter phi phoenix pi pierce pike plot policy
pope porter post power price prince prior prudence psi queen rand random ray reed reid reward rex
rho rice rich river rob robin robust rod roll
rollout rose ross royal ruby rue rule rush russell sage
sam sample sandy score scott seed self serena set shah sharp shaw shell shore sigma sims sky small
smart son song spring star state step stella sterling stone storm strong student sue summer sun
sutton sunny swan tab tanner target task tau teacher test theta tim time tom torch trace tracy
tree trinity trust tutor tyler user val value van vector victor victory viola violet virtue wade
walker wall ward waters weaver webb weeks welch wells west wheeler white will winter wise wolf wood
woods word worker worth wright yang york young zero zeta alice admin root guest main none true
""".split()
ORDINARY = frozenset(_WORDS) - {"alice"} | {
    each.casefold() for each in (*keyword.kwlist, *dir(builtins))
}
#: What stands behind the point in ``weights@batch.shape``: no domain.
ATTRIBUTES = frozenset(
    "shape mean sum dtype ndim data grad item detach numpy float size std var max min view flatten "
    "reshape transpose copy".split()
)
#: Alternatives of a pattern, to be matched in any case.
INTRODUCTIONS = (
    r"\bmy name is|\bi am|\bi['’]m|\bname|\bauthor|\bdear|\bhello|\bhi|\bstudent|\bsigned"
    r"|\bmein name ist|\bich bin|\bich hei(?:ß|ss)e|\bje m['’]appelle|\bje suis|\bme llamo|\bsoy"
    r"|\bmi chiamo|\bmeu nome é|меня зовут|\bnazywam się|\bjag heter|\badım|\bik ben"
    r"|\bregards,?|\bthanks,?|\bbest,?|\bcheers,?"
)

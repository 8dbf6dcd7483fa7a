"""Whether what callers were told fits into one order, that of the log: a checker of our own.

Callers note each call with when it began and ended and what came of it; `checking.wrongs` says
afterwards which of the answers were right at no moment between the two.
"""

"""One command for the first day with a GPU: does this machine serve, how well, and how fast?

Every step has a plain answer: pass, fail, or could not tell. A step that fails hides none of the others. The same
program runs with the CPU profile, so that the check itself is known to work before there is a GPU.
"""

"""Random programs in Python's own text, run on plain arrays and on Values.

`writing` writes a program statement by statement, and runs it on plain arrays as it goes. What can
be written is in `expressions`, `statements` and `blocks`, each under the name of a feature.
`judging` runs it in some way of computing derivatives (`ways`) and compares with NumPy and with
numerical differences; `shrinking` makes a program that fails as short as it can be.

    python -m tests.programs 5000
"""

"""Long trials whose figures stand in docs/reliability.md. The suite runs a few of each.

python -m tests.campaign kills                 # 20 each of farm tasks, workers, drivers
python -m tests.campaign mutants --each 70
python -m tests.campaign many --frames 10000
"""

"""What happened on each pcpu, and when: ``records`` says what there is.

``writer`` and ``reader`` are the file, ``head`` its first and last value, ``order`` puts the records of all pcpus in
the order of time, ``names`` gives them the words that people use, ``digest`` verifies a file; ``export_*`` write it
for other programs.
"""

"""YAML files whose every value knows its place: machine files, study files and console input are read with it.

Read from the top: ``document`` (values with their places), ``errors`` (all that is wrong, at once), ``kinds``,
``one_of`` and ``values`` (what a field can be), ``quantities`` (sizes, durations, numbers), ``overrides`` (``--set``).
"""

"""What the user writes: one YAML file that describes a machine.

Read from the top: ``machine`` (the records that everything above works with), ``loader`` (how a file becomes one),
``document`` (YAML with places), ``kinds`` and ``models`` (the fields), ``check`` and its rules, ``placement`` and
``build`` (images, initrd and device tree), ``devicetree`` and ``fdt``, ``platforms``; ``schema`` and ``reference``
are made from the models.
"""

"""Machine files: what a user writes of a machine, and how it becomes ``baonet.machine``.

Read from the top: ``loader`` (how a file becomes a machine), ``models`` (the fields), ``check`` and its rules,
``placement`` and ``build`` (images, initrd and device tree), ``devicetree`` and ``fdt``, ``platforms``; ``schema`` and
``reference`` are made from the models. ``architecture`` is what a wing brings to all of that, ``wings`` has them.
"""

"""One memory over several nodes: which node may read and write which page, decided by messages.

Pure: no I/O, no clock, no bytes. ``directory`` is what a page's home knows of it, ``residency`` what a node knows of
the pages that it has, ``messages`` what they say to each other. Single writer or many readers, a page and a node.
"""

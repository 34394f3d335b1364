"""The vendor: issues licence images, and answers scans with six digits or a refusal (SPEC.md, section 4).

A reference, so that the whole system runs without the real vendor. It keeps its own data folder: keys, a database,
the common base of its images.
"""

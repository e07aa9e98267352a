"""The three risks of European data protection law (WP216): singling out, linkability and inference.

Each is attacked with the synthetic records, against training records and against control records that the generator never saw:
success on control is not a leak. A risk of 0 means that training records are no worse off than non-members, 1 that every attack
on one succeeds (Article 29 Working Party 2014; Giomi et al. 2023 for the control group).
"""

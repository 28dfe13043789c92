"""HTTP: one file per resource, thin verbs."""

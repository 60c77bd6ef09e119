"""Models for other programs: what of a model TensorFlow.js knows, and a model rewritten for it.

``findings`` looks through a model, ``lowering`` has a rule for each kind of layer, ``rewriting`` applies them to a
copy, ``export`` writes it. Knows layers, models and their saving; touches no file but through ``lamina.io``.
"""

from lamina.models.exporting.export import export_artifacts, export_model
from lamina.models.exporting.findings import Finding, findings_text, tfjs_findings

__all__ = ["Finding", "export_artifacts", "export_model", "findings_text", "tfjs_findings"]

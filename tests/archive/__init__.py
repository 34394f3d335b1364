"""Archives, good and broken in every way, made by code."""

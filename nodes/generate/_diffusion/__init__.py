"""Stable Diffusion: reading the published layouts, pipelines over shared parts, previews, LoRA and ControlNet."""

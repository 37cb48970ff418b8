"""LayerDiffuse (Zhang and Agrawala, Transparent Image Layer Diffusion using Latent Transparency, 2024), for SDXL."""

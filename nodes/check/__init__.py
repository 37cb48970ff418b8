"""Is a mesh fit for its purpose?"""

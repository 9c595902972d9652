"""The exposures of one scene to one photo: aligned, compared, merged to the light that they recorded together."""

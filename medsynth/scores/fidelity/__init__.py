"""How closely a synthetic table resembles a real one."""

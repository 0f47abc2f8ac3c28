"""Pure functions of numbers that know neither faces nor files."""

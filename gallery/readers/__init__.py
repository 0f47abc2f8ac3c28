"""Labels that people have already, beside or inside their pictures, read for enrolment."""

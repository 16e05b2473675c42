"""CASE 1.1 (1EdTech Competencies and Academic Standards Exchange): how an edition is written down and served."""

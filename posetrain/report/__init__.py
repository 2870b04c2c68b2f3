"""What came of trainings: tables, curves, pictures, one page."""

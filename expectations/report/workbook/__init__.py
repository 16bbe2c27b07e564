"""The findings workbook, one module for each kind of sheet."""

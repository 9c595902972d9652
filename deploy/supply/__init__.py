"""What an installation brings: bills of materials, licences, and whether requirements resolve."""

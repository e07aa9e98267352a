"""Text documents as records: .txt, .md, .html, .docx and .pdf."""

"""Published states of a gallery: what they claim, who reads them, how one follows another."""

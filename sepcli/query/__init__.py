"""From words or an example sound to the embedding a network is conditioned on."""

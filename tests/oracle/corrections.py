"""Voids and replacements: which claims are gone, and which nobody can follow (the rule book, section 2)."""

from collections import defaultdict


class Corrections:
    """What the corrections of an extract do. `gone` are the claim ids that no longer stand, `orphans` the
    corrections that name no claim here, `unclear` the claims in corrections that nobody can follow."""

    def __init__(self, lines):
        self._lines = defaultdict(list)
        for line in lines:
            self._lines[line.claim_id].append(line)
        self._bearers = defaultdict(set)
        for line in lines:
            for name in (line.claim_id, line.payers_number):
                if name:
                    self._bearers[name].add(line.claim_id)
        self._corrections = [claim_id for claim_id in self._lines if self._frequencies(claim_id) & {"7", "8"}]
        self._named = {claim_id: self._claims_named(claim_id) for claim_id in self._corrections}
        self.orphans = {claim_id for claim_id in self._corrections if not self._named[claim_id]}
        self._muddled = {claim_id for claim_id in self._corrections if self._is_unclear(claim_id)}
        self.unclear = self._linked(self._muddled)
        self.gone = self._gone()

    def _frequencies(self, claim_id):
        return {line.frequency for line in self._lines[claim_id]}

    def _originals(self, claim_id):
        """The names that the correction's lines give of its original."""
        return {x.original for x in self._lines[claim_id] if x.frequency in ("7", "8") and x.original}

    def _claims_named(self, claim_id):
        """Ids of the claims that bear a name this correction gives, itself among them where it does."""
        return set().union(*(self._bearers.get(name, set()) for name in self._originals(claim_id)))

    def _is_unclear(self, claim_id):
        lines, named = self._lines[claim_id], self._named[claim_id]
        is_void = "8" in self._frequencies(claim_id)
        return (
            len(self._originals(claim_id)) > 1
            or len(self._frequencies(claim_id)) > 1
            or claim_id in named
            or len(named) > 1
            or any(line.denied or line.pending for line in lines)
            or self._comes_back(claim_id)
            or (is_void and any(claim_id in self._named[other] for other in self._corrections if other != claim_id))
        )

    def _comes_back(self, claim_id):
        """True where following the names from this correction leads back to it."""
        seen, todo = set(), list(self._named[claim_id])
        while todo:
            at = todo.pop()
            if at == claim_id:
                return True
            if at not in seen:
                seen.add(at)
                todo += self._named.get(at, ())
        return False

    def _linked(self, claims):
        """These claims and all that a chain of names joins to them."""
        neighbours = defaultdict(set)
        for correction, named in self._named.items():
            for claim_id in named:
                neighbours[correction].add(claim_id)
                neighbours[claim_id].add(correction)
        found, todo = set(), list(claims)
        while todo:
            at = todo.pop()
            if at not in found:
                found.add(at)
                todo += neighbours[at]
        return found

    def _gone(self):
        """Claims that a correction names, and of several replacing one all but the greatest claim id. One that nobody
        can follow takes no other replacement away."""
        gone, rivals = set(), defaultdict(set)
        for correction in self._corrections:
            named = self._named[correction] - {correction}
            gone |= named
            if "7" in self._frequencies(correction) and correction not in self._muddled:
                for target in named or self._originals(correction):
                    rivals[target].add(correction)
        for replacing in rivals.values():
            gone |= replacing - {max(replacing)}
        return gone

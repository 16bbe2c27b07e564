"""What is promised: Great Expectations suites over the contract and over the rules, and the judged result."""

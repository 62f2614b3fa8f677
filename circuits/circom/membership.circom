pragma circom 2.1.0;

// The statement of `circuits/src/membership`, written a second time in another language, with another Poseidon: the
// nightly tests see that both accept and refuse the same values. No keys are made from it.
//
// "I know a secret whose commitment is a leaf under `root`, `nullifier` is right for `external_nullifier`, and I bind
// `signal_hash`."

include "circomlib/circuits/poseidon.circom";

// The node above `node` and its sibling. `is_right` is 1 if `node` is the right child.
template Parent() {
    signal input node;
    signal input is_right;
    signal input sibling;
    signal output parent;

    is_right * (is_right - 1) === 0;
    signal shift <== is_right * (sibling - node);
    parent <== Poseidon(2)([node + shift, sibling - shift]);
}

template Membership(depth) {
    // In the order of the public inputs.
    signal input root;
    signal input nullifier;
    signal input signal_hash;
    signal input external_nullifier;

    signal input nullifier_key;
    signal input trapdoor;
    signal input is_right[depth]; // leaf first
    signal input sibling[depth];

    signal secret_hash <== Poseidon(2)([nullifier_key, trapdoor]);
    signal node[depth + 1];
    node[0] <== Poseidon(1)([secret_hash]);
    for (var level = 0; level < depth; level++) {
        node[level + 1] <== Parent()(node[level], is_right[level], sibling[level]);
    }
    root === node[depth];

    signal own_nullifier <== Poseidon(2)([external_nullifier, nullifier_key]);
    nullifier === own_nullifier;

    signal bound <== signal_hash * signal_hash;
}

component main {public [root, nullifier, signal_hash, external_nullifier]} = Membership(30);

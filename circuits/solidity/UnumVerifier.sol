// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// @title  Checks membership proofs of Unum (Groth16 over BN254) on an Ethereum chain.
/// @notice One compiled contract for every key: the verifying key comes with the constructor and lives in the code.
///         Holds no state, no owner and no money. Knows nothing of nullifiers already used: whoever calls it keeps
///         those, by their value, never by the proof's bytes, because anyone can turn a proof into another that holds.
///
/// A proof is eight words, `A.x A.y B.x1 B.x0 B.y1 B.y0 C.x C.y`; the inputs are
/// `root, nullifier, signal_hash, external_nullifier`. It holds if (Groth 2016, section 3.2)
///
///     e(A, B) = e(alpha, beta) · e(IC[0] + sum of input[j] · IC[j+1], gamma) · e(C, delta).
///
/// The precompiles for addition, multiplication and pairing (EIP-196, EIP-197) refuse coordinates that are not below
/// the base field's order, points off their curve and points of G2 outside the subgroup. They accept the identity and
/// scalars of any size; we refuse both. beta, gamma and delta are kept negated, so that all four pairings stand on one
/// side and no coordinate of a proof is touched before a precompile has seen it.
///
/// A precompile that refuses its input burns the gas that it was given. Whoever calls with proofs of strangers should
/// bound the gas.
contract UnumVerifier {
    /// Order of the scalar field: inputs are below it.
    uint256 private constant R = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001;
    /// Order of the base field: coordinates are below it.
    uint256 private constant Q = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;

    /// SHA-256 of the key's bytes as Unum writes them (`keys.json`, `unum-vk`): compare it with a trusted one.
    bytes32 public immutable keyHash;

    // The key. Coordinates of G2: 1 is the imaginary part, 0 the real one. N: negated.
    uint256 private immutable alphaX;
    uint256 private immutable alphaY;
    uint256 private immutable betaX1;
    uint256 private immutable betaX0;
    uint256 private immutable betaNY1;
    uint256 private immutable betaNY0;
    uint256 private immutable gammaX1;
    uint256 private immutable gammaX0;
    uint256 private immutable gammaNY1;
    uint256 private immutable gammaNY0;
    uint256 private immutable deltaX1;
    uint256 private immutable deltaX0;
    uint256 private immutable deltaNY1;
    uint256 private immutable deltaNY0;
    uint256 private immutable ic0X;
    uint256 private immutable ic0Y;
    uint256 private immutable ic1X;
    uint256 private immutable ic1Y;
    uint256 private immutable ic2X;
    uint256 private immutable ic2Y;
    uint256 private immutable ic3X;
    uint256 private immutable ic3Y;
    uint256 private immutable ic4X;
    uint256 private immutable ic4Y;

    /// The key has a point that is not valid, or is the identity.
    error InvalidKey();

    /// @param circuit  Hash of the circuit that the key belongs to.
    /// @param key      alpha (G1), beta, gamma, delta (G2), five points of G1: a verifying key's bytes after its first
    ///                 eight are exactly these two arguments.
    constructor(bytes32 circuit, uint256[24] memory key) {
        for (uint256 i = 0; i < 24; i += 2) {
            if (i < 2 || i >= 14) _requireG1(key[i], key[i + 1]);
            else if (i % 4 == 2) _requireG2(key[i], key[i + 1], key[i + 2], key[i + 3]);
        }
        keyHash = sha256(abi.encodePacked(bytes8("unum-vk\x01"), circuit, key));
        alphaX = key[0];
        alphaY = key[1];
        betaX1 = key[2];
        betaX0 = key[3];
        betaNY1 = (Q - key[4]) % Q; // one of the two may be 0, whose negative is 0, not Q
        betaNY0 = (Q - key[5]) % Q;
        gammaX1 = key[6];
        gammaX0 = key[7];
        gammaNY1 = (Q - key[8]) % Q;
        gammaNY0 = (Q - key[9]) % Q;
        deltaX1 = key[10];
        deltaX0 = key[11];
        deltaNY1 = (Q - key[12]) % Q;
        deltaNY0 = (Q - key[13]) % Q;
        ic0X = key[14];
        ic0Y = key[15];
        ic1X = key[16];
        ic1Y = key[17];
        ic2X = key[18];
        ic2Y = key[19];
        ic3X = key[20];
        ic3Y = key[21];
        ic4X = key[22];
        ic4Y = key[23];
    }

    /// @notice Whether `proof` holds for `inputs`. Never reverts for what they contain: whatever is wrong, the answer
    ///         is false.
    function verify(uint256[8] calldata proof, uint256[4] calldata inputs) external view returns (bool ok) {
        // Four pairs of 192 bytes: (A, B), (C, -delta), (inputs, -gamma), (alpha, -beta).
        uint256 pairs = _allocate(4 * 192);
        ok = _loadProof(pairs, proof) && _areCanonical(inputs);
        uint256 sum = pairs + 2 * 192;
        _store(sum, ic0X, ic0Y);
        ok = ok && _addMultiple(sum, ic1X, ic1Y, inputs[0]) && _addMultiple(sum, ic2X, ic2Y, inputs[1])
            && _addMultiple(sum, ic3X, ic3Y, inputs[2]) && _addMultiple(sum, ic4X, ic4Y, inputs[3]);
        _store(pairs + 3 * 192, alphaX, alphaY);
        _storeKeyOfG2(pairs + 192);
        ok = ok && _pairingIsOne(pairs, 4 * 192);
    }

    /// @notice Whether every `proofs[i]` holds for `inputs[i]`. False also for an empty batch and for lists of
    ///         different length. One false proof makes the whole batch false; ask `verify` which one it is.
    ///
    /// Proof i's equation is raised to a weight w[i], and the product of all is checked. w[0] = 1; the others are 128
    /// bits of keccak256(keccak256(calldata), i). If some equation does not hold, then for given other weights at most
    /// one value of that proof's weight lets the product hold, so that a batch with a false proof passes with
    /// probability 2^-128 for each calldata tried (Bellare, Garay, Rabin 1998, small exponents test). All weights
    /// depend on all proofs and inputs: none can be chosen after its weight is known.
    function verifyBatch(uint256[8][] calldata proofs, uint256[4][] calldata inputs) external view returns (bool ok) {
        uint256 n = proofs.length;
        if (n == 0 || inputs.length != n) return false;
        // n pairs (w[i]·A[i], B[i]), then the three of the key as in `verify`. Room for the calldata, which is hashed
        // in the same place before.
        uint256 fixedPairs;
        uint256 pairs = _allocate(192 * (n + 3) > msg.data.length ? 192 * (n + 3) : msg.data.length);
        unchecked {
            fixedPairs = pairs + 192 * n;
        }
        uint256[5] memory scalars; // sum of w[i], then of w[i] · inputs[i][j]
        ok = _combine(pairs, proofs, inputs, scalars);

        uint256 sum = fixedPairs + 192;
        _store(sum, 0, 0);
        ok = ok && _addMultiple(sum, ic0X, ic0Y, scalars[0]) && _addMultiple(sum, ic1X, ic1Y, scalars[1])
            && _addMultiple(sum, ic2X, ic2Y, scalars[2]) && _addMultiple(sum, ic3X, ic3Y, scalars[3])
            && _addMultiple(sum, ic4X, ic4Y, scalars[4]);
        sum = fixedPairs + 2 * 192;
        _store(sum, 0, 0);
        ok = ok && _addMultiple(sum, alphaX, alphaY, scalars[0]);
        _storeKeyOfG2(fixedPairs);
        ok = ok && _pairingIsOne(pairs, 192 * (n + 3));
    }

    /// Writes the pairs (w[i]·A[i], B[i]) to `pairs`, the sum of w[i]·C[i] behind them, and the scalars of the key.
    function _combine(
        uint256 pairs,
        uint256[8][] calldata proofs,
        uint256[4][] calldata inputs,
        uint256[5] memory scalars
    ) private view returns (bool ok) {
        assembly ("memory-safe") {
            calldatacopy(pairs, 0, calldatasize())
            let seed := keccak256(pairs, calldatasize())
            let sumC := add(pairs, mul(192, proofs.length))
            let term := add(sumC, 0x40) // a point and its scalar, before each multiplication
            let weight := 1
            ok := 1
            for { let i := 0 } lt(i, proofs.length) { i := add(i, 1) } {
                let proof := add(proofs.offset, mul(i, 0x100))
                let pair := add(pairs, mul(i, 192))
                switch i
                case 0 {
                    calldatacopy(pair, proof, 0xc0)
                    calldatacopy(sumC, add(proof, 0xc0), 0x40)
                }
                default {
                    mstore(0, seed)
                    mstore(0x20, i)
                    weight := shr(128, keccak256(0, 0x40))
                    // A, then its weight where B comes afterwards.
                    calldatacopy(pair, proof, 0x40)
                    mstore(add(pair, 0x40), weight)
                    ok := and(ok, staticcall(gas(), 7, pair, 0x60, pair, 0x40))
                    calldatacopy(add(pair, 0x40), add(proof, 0x40), 0x80)
                    calldatacopy(term, add(proof, 0xc0), 0x40)
                    mstore(add(term, 0x40), weight)
                    ok := and(ok, staticcall(gas(), 7, term, 0x60, term, 0x40))
                    ok := and(ok, staticcall(gas(), 6, sumC, 0x80, sumC, 0x40))
                }
                // No identity: A, B, C as they came.
                let a := or(calldataload(proof), calldataload(add(proof, 0x20)))
                let b := or(
                    or(calldataload(add(proof, 0x40)), calldataload(add(proof, 0x60))),
                    or(calldataload(add(proof, 0x80)), calldataload(add(proof, 0xa0)))
                )
                let c := or(calldataload(add(proof, 0xc0)), calldataload(add(proof, 0xe0)))
                ok := and(ok, iszero(or(or(iszero(a), iszero(b)), iszero(c))))

                mstore(scalars, addmod(mload(scalars), weight, R))
                let input := add(inputs.offset, mul(i, 0x80))
                for { let j := 0 } lt(j, 0x80) { j := add(j, 0x20) } {
                    let value := calldataload(add(input, j))
                    ok := and(ok, lt(value, R))
                    let place := add(scalars, add(0x20, j))
                    mstore(place, addmod(mload(place), mulmod(weight, value, R), R))
                }
            }
        }
    }

    /// Writes A, B and C to `place` and sees that none is the identity.
    function _loadProof(uint256 place, uint256[8] calldata proof) private pure returns (bool ok) {
        assembly ("memory-safe") {
            calldatacopy(place, proof, 0x100)
            let a := or(mload(place), mload(add(place, 0x20)))
            let b := or(
                or(mload(add(place, 0x40)), mload(add(place, 0x60))),
                or(mload(add(place, 0x80)), mload(add(place, 0xa0)))
            )
            let c := or(mload(add(place, 0xc0)), mload(add(place, 0xe0)))
            ok := iszero(or(or(iszero(a), iszero(b)), iszero(c)))
        }
    }

    function _areCanonical(uint256[4] calldata inputs) private pure returns (bool) {
        return inputs[0] < R && inputs[1] < R && inputs[2] < R && inputs[3] < R;
    }

    /// Adds scalar · (x, y) to the point at `sum`. Overwrites the 96 bytes behind it.
    function _addMultiple(uint256 sum, uint256 x, uint256 y, uint256 scalar) private view returns (bool ok) {
        assembly ("memory-safe") {
            let term := add(sum, 0x40)
            mstore(term, x)
            mstore(add(term, 0x20), y)
            mstore(add(term, 0x40), scalar)
            ok := staticcall(gas(), 7, term, 0x60, term, 0x40)
            ok := and(ok, staticcall(gas(), 6, sum, 0x80, sum, 0x40))
        }
    }

    /// The second halves of the key's three pairs, at 64 bytes from the start of each: -delta, -gamma, -beta.
    function _storeKeyOfG2(uint256 pairs) private view {
        _store(pairs + 64, deltaX1, deltaX0);
        _store(pairs + 128, deltaNY1, deltaNY0);
        _store(pairs + 256, gammaX1, gammaX0);
        _store(pairs + 320, gammaNY1, gammaNY0);
        _store(pairs + 448, betaX1, betaX0);
        _store(pairs + 512, betaNY1, betaNY0);
    }

    function _pairingIsOne(uint256 pairs, uint256 length) private view returns (bool ok) {
        assembly ("memory-safe") {
            ok := staticcall(gas(), 8, pairs, length, 0, 0x20)
            ok := and(ok, eq(mload(0), 1))
        }
    }

    function _store(uint256 place, uint256 first, uint256 second) private pure {
        assembly ("memory-safe") {
            mstore(place, first)
            mstore(add(place, 0x20), second)
        }
    }

    function _allocate(uint256 length) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := mload(0x40)
            mstore(0x40, add(place, length))
        }
    }

    /// Adding nothing to a point makes the precompile look at it.
    function _requireG1(uint256 x, uint256 y) private view {
        (bool ok,) = address(6).staticcall(abi.encode(x, y, 0, 0));
        if (!ok || x | y == 0) revert InvalidKey();
    }

    /// Pairing a point with nothing makes the precompile look at it.
    function _requireG2(uint256 x1, uint256 x0, uint256 y1, uint256 y0) private view {
        (bool ok,) = address(8).staticcall(abi.encode(0, 0, x1, x0, y1, y0));
        if (!ok || x1 | x0 | y1 | y0 == 0) revert InvalidKey();
    }
}

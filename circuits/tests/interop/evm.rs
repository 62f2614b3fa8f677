//! An Ethereum machine with our contract on it, and the ABI of the three calls.

use std::fs;

use circuits::VerifyingKey;
use revm::context::TxEnv;
use revm::context::result::{ExecutionResult, Output};
use revm::database::InMemoryDB;
use revm::primitives::hardfork::SpecId;
use revm::primitives::{Address, Bytes, TxKind, keccak256};
use revm::{Context, ExecuteCommitEvm, MainBuilder, MainContext};
use unum_identity::proof::ProofBytes;

/// Within what a transaction may ask for since the fork Osaka (EIP-7825).
const GAS_LIMIT: u64 = 16_000_000;

/// Four words: the public inputs as a contract gets them.
pub(crate) type Inputs = [[u8; 32]; 4];

/// A chain with the contract.
pub(crate) struct Chain {
    database: InMemoryDB,
    contract: Address,
    /// Gas of the transaction that put it there.
    pub(crate) deployment: u64,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What the contract returned; none if it did not.
    pub(crate) output: Option<Bytes>,
    /// Gas of the whole transaction: the call, 21,000, and its calldata.
    pub(crate) transaction_gas: u64,
    /// Gas of the call alone: what it costs a contract that calls this one, but for the call itself.
    pub(crate) call_gas: u64,
}

impl Answer {
    /// The single word returned, as a truth value.
    pub(crate) fn is_true(&self) -> bool {
        let word = self.output.as_ref().expect("the call does not revert");
        assert_eq!((word.len(), &word[..31]), (32, &[0; 31][..]));
        assert!(word[31] < 2);
        word[31] == 1
    }
}

impl Chain {
    /// Deploys the committed code for `key`.
    pub(crate) fn deploy(key: &VerifyingKey) -> Result<Self, Option<Bytes>> {
        Self::deploy_bytes(&key.to_bytes())
    }

    /// The same for bytes that need not be a key. An error is what the constructor reverted with.
    pub(crate) fn deploy_bytes(key: &[u8]) -> Result<Self, Option<Bytes>> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/solidity/UnumVerifier.json");
        let file: serde_json::Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let code = hex::decode(&file["bytecode"].as_str().unwrap()[2..]).unwrap();
        let mut database = InMemoryDB::default();
        let data = [&code, &key[8..]].concat(); // after the first eight bytes, a key is the constructor's arguments
        match transact(&mut database, TxKind::Create, data) {
            ExecutionResult::Success { gas, output: Output::Create(_, Some(contract)), .. } => {
                Ok(Self { database, contract, deployment: gas.tx_gas_used() })
            }
            other => Err(other.into_output()),
        }
    }

    /// Calls the contract. Nothing that it does stays.
    pub(crate) fn call(&self, data: &[u8]) -> Answer {
        let mut database = self.database.clone();
        let result = transact(&mut database, TxKind::Call(self.contract), data.to_vec());
        let transaction_gas = result.tx_gas_used();
        Answer {
            transaction_gas,
            call_gas: transaction_gas - intrinsic_gas(data),
            output: result.is_success().then(|| result.into_output().unwrap()),
        }
    }

    pub(crate) fn verify(&self, proof: &ProofBytes, inputs: &Inputs) -> Answer {
        self.call(&[&selector("verify(uint256[8],uint256[4])"), &proof.0[..], &inputs.concat()].concat())
    }

    pub(crate) fn key_hash(&self) -> [u8; 32] {
        self.call(&selector("keyHash()")).output.unwrap()[..].try_into().unwrap()
    }

    pub(crate) fn verify_batch(&self, proofs: &[ProofBytes], inputs: &[Inputs]) -> Answer {
        self.call(&batch(proofs, inputs))
    }
}

/// Calldata of a batch: two dynamic arrays of static elements.
pub(crate) fn batch(proofs: &[ProofBytes], inputs: &[Inputs]) -> Vec<u8> {
    let mut data = selector("verifyBatch(uint256[8][],uint256[4][])").to_vec();
    data.extend(word(64));
    data.extend(word(64 + 32 + 256 * proofs.len()));
    data.extend(word(proofs.len()));
    data.extend(proofs.iter().flat_map(|proof| proof.0));
    data.extend(word(inputs.len()));
    data.extend(inputs.iter().flat_map(|inputs| inputs.concat()));
    data
}

pub(crate) fn selector(signature: &str) -> [u8; 4] {
    keccak256(signature)[..4].try_into().unwrap()
}

fn word(number: usize) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&(number as u64).to_be_bytes());
    word
}

fn transact(database: &mut InMemoryDB, kind: TxKind, data: Vec<u8>) -> ExecutionResult {
    let mut evm = Context::mainnet()
        .with_db(std::mem::take(database))
        .modify_cfg_chained(|config| config.set_spec_and_mainnet_gas_params(SpecId::OSAKA))
        .build_mainnet();
    let creations = u64::from(kind.is_call()); // the sender's only earlier transaction
    let tx = TxEnv::builder().kind(kind).data(data.into()).gas_limit(GAS_LIMIT).nonce(creations);
    let result = evm.transact_commit(tx.build().unwrap()).unwrap();
    *database = std::mem::take(&mut evm.ctx.journaled_state.database);
    result
}

/// What a transaction pays before the call begins (EIP-2028): 4 a zero byte, 16 another, 21,000 at once. The floor
/// price of calldata (EIP-7623) is far below what these calls cost.
fn intrinsic_gas(data: &[u8]) -> u64 {
    21_000 + data.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum::<u64>()
}

//! The circuit as an `.r1cs` file (iden3 binary format, version 1), so that snarkjs can specialise it by itself.
//!
//! ```text
//! section 1  32 ‖ r ‖ variables ‖ outputs (0) ‖ public inputs ‖ private inputs (0) ‖ labels (u64) ‖ constraints
//!         2  for each constraint, for each of A, B, C: number of entries ‖ (column ‖ value)…
//!         3  label of each variable: its own number
//! ```

use ark_bn254::Fr;
use ark_ff::PrimeField;

use super::circuit::{Entry, Matrix, Shape, row_entries};
use super::{container, montgomery};
use crate::relation::Relation;

/// The file.
pub fn to_r1cs(relation: &Relation) -> Vec<u8> {
    let shape = Shape::from(relation);
    let mut header = 32_u32.to_le_bytes().to_vec();
    montgomery::put_limbs(&mut header, Fr::MODULUS);
    for number in [shape.variables, 0, shape.public, 0] {
        header.extend((number as u32).to_le_bytes());
    }
    header.extend((shape.variables as u64).to_le_bytes());
    header.extend((shape.constraints as u32).to_le_bytes());
    let labels = (0..shape.variables as u64).flat_map(u64::to_le_bytes).collect();
    container::write("r1cs", &[(1, header), (2, constraints(relation, &shape)), (3, labels)])
}

fn constraints(relation: &Relation, shape: &Shape) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in 0..shape.constraints {
        let entries: Vec<Entry> = row_entries(relation, row).collect();
        for matrix in [Matrix::A, Matrix::B, Matrix::C] {
            let of_matrix = entries.iter().filter(|entry| entry.matrix == matrix);
            bytes.extend((of_matrix.clone().count() as u32).to_le_bytes());
            for entry in of_matrix {
                bytes.extend((entry.column as u32).to_le_bytes());
                montgomery::put_limbs(&mut bytes, entry.value.into_bigint());
            }
        }
    }
    bytes
}

//! A circuit as the ceremony sees it: its sizes, and its entries in the order in which snarkjs writes them.

use ark_bn254::Fr;

use crate::relation::Relation;

/// Sizes of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub variables: usize,
    /// Without the constant 1.
    pub public: usize,
    pub constraints: usize,
    /// Holds the constraints, and one row for each public input and the constant.
    pub domain: usize,
}

/// Which of the three matrices an entry is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matrix {
    A = 0,
    B = 1,
    C = 2,
}

/// One value of a matrix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub matrix: Matrix,
    pub row: usize,
    pub column: usize,
    pub value: Fr,
}

impl From<&Relation> for Shape {
    fn from(relation: &Relation) -> Self {
        let constraints = relation.constraints();
        Self {
            variables: relation.instance_variables + relation.witness_variables,
            public: relation.instance_variables - 1,
            constraints,
            domain: (constraints + relation.instance_variables).next_power_of_two(),
        }
    }
}

/// All entries, row by row, within a row A before B before C, columns ascending; then the rows that bind the public
/// inputs: row `constraints + i` of A has a one in column `i`.
pub(super) fn entries(relation: &Relation) -> impl Iterator<Item = Entry> + '_ {
    let constraints = relation.constraints();
    let public = (0..relation.instance_variables).map(move |column| Entry {
        matrix: Matrix::A,
        row: constraints + column,
        column,
        value: Fr::from(1),
    });
    (0..constraints).flat_map(|row| row_entries(relation, row)).chain(public)
}

/// The entries of one constraint.
pub(super) fn row_entries(relation: &Relation, row: usize) -> impl Iterator<Item = Entry> + '_ {
    [Matrix::A, Matrix::B, Matrix::C].into_iter().flat_map(move |matrix| {
        let mut values: Vec<_> = relation.matrices[matrix as usize][row].iter().collect();
        values.sort_unstable_by_key(|(_, column)| *column);
        values.into_iter().map(move |(value, column)| Entry { matrix, row, column: *column, value: *value })
    })
}

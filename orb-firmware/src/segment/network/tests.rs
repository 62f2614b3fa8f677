use prost::Message;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, type_proto,
};

use super::*;
use crate::camera::Eye;
use crate::camera::render::{Conditions, Subject};
use crate::pipeline::{self, Config};

const FLOAT: i32 = 1; // TensorProto.DataType

fn shaped(name: &str, shape: &[usize]) -> ValueInfoProto {
    let dim =
        |&n: &usize| Dimension { value: Some(dimension::Value::DimValue(n as i64)), ..Dimension::default() };
    let shape = TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: FLOAT, shape: Some(shape) };
    let value = Some(type_proto::Value::TensorType(tensor));
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value, ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}

fn numbers(name: &str, shape: &[i64], values: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: shape.to_vec(),
        data_type: FLOAT,
        float_data: values,
        ..TensorProto::default()
    }
}

fn node(operation: &str, input: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operation.to_owned(),
        input: input.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// A network of one layer that tells classes by brightness alone: a pixel belongs to a class if it is darker than the
/// class's limit.
fn darker_than(limits: &[f32]) -> Vec<u8> {
    const STEEP: f32 = 60.0;
    let (mean, deviation) = IMAGENET[0];
    let classes = limits.len() as i64;
    let weights = limits.iter().flat_map(|_| [-STEEP * deviation, 0.0, 0.0]).collect();
    let biases = limits.iter().map(|limit| STEEP * (limit / 255.0 - mean)).collect();
    let graph = GraphProto {
        name: "brightness".to_owned(),
        node: vec![node("Conv", &["image", "w", "b"], "sum"), node("Sigmoid", &["sum"], "classes")],
        initializer: vec![numbers("w", &[classes, 3, 1, 1], weights), numbers("b", &[classes], biases)],
        input: vec![shaped("image", &[1, 3, HEIGHT, WIDTH])],
        output: vec![shaped("classes", &[1, limits.len(), HEIGHT, WIDTH])],
        ..GraphProto::default()
    };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 13 }];
    ModelProto { ir_version: 7, opset_import, graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
}

fn load(bytes: &[u8]) -> Result<Network, NetworkError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.onnx");
    std::fs::write(&path, bytes).unwrap();
    Network::load(&path)
}

/// A drawing of an eye in flat greys: pupil 20, iris 90, white 170, skin 230.
fn drawing(width: usize, height: usize, pupil: f32, iris: f32) -> Plane {
    let mut plane = Plane::filled(width, height, 230);
    let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
    for y in 0..height {
        for (x, pixel) in plane.row_mut(y).iter_mut().enumerate() {
            let (dx, dy) = (x as f32 - cx, y as f32 - cy);
            let from_centre = dx.hypot(dy);
            *pixel = match from_centre {
                _ if (dx / iris / 2.2).powi(2) + (dy / iris / 1.1).powi(2) > 1.0 => 230,
                r if r < pupil => 20,
                r if r < iris => 90,
                _ => 170,
            };
        }
    }
    plane
}

#[test]
fn a_networks_classes_become_boundaries_in_images_of_any_size() {
    let network = load(&darker_than(&[200.0, 130.0, 50.0, -100.0])).unwrap();
    for (width, height, pupil, iris) in
        [(640, 480, 45.0, 110.0), (320, 280, 25.0, 70.0), (800, 600, 60.0, 140.0)]
    {
        let found = network.segment(&drawing(width, height, pupil, iris)).unwrap().unwrap();
        let expected = [(found.boundaries.pupil.circle, pupil), (found.boundaries.iris.circle, iris)];
        for (circle, r) in expected {
            let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
            assert!((circle.x - cx).hypot(circle.y - cy) < 2.0, "{width} × {height}: {circle:?}");
            assert!((circle.r - r).abs() < 2.0, "{width} × {height}: {circle:?}");
        }
        assert!(found.tilt.abs() < 0.02, "{}", found.tilt);
    }
}

#[test]
fn the_pipeline_takes_what_the_network_finds() {
    let network = Arc::new(load(&darker_than(&[200.0, 130.0, 50.0, -100.0])).unwrap());
    let config = Config { segmenter: network.clone(), ..Config::default() };
    let mut accepted = 0;
    for person in 0..6 {
        let frame = Subject::new(person, Eye::Left).visit_under(1, Conditions::good()).shot(0).frame;
        // One threshold is no judge of a shaded eye: what it finds is a code, or a refusal with its reason.
        match pipeline::template(&frame, &config) {
            Ok(made) => {
                let found = network.segment(&Plane::of(&frame)).unwrap().unwrap();
                assert_eq!(made.boundaries, found.boundaries);
                accepted += 1;
            }
            Err(error) => assert!(matches!(error, CaptureError::Refused(_)), "{error}"),
        }
    }
    assert!(accepted > 0, "not one of six");
}

#[test]
fn an_image_without_a_pupil_has_no_eye() {
    let network = load(&darker_than(&[200.0, 130.0, 50.0, -100.0])).unwrap();
    assert!(network.segment(&Plane::filled(640, 480, 230)).unwrap().is_none());
}

#[test]
fn what_is_no_such_network_is_named() {
    let nowhere = Network::load(Path::new("/nowhere/network.onnx"));
    assert!(matches!(nowhere, Err(NetworkError::Unusable { .. })));
    assert!(matches!(load(b"not a network"), Err(NetworkError::Unusable { .. })));
    let three = load(&darker_than(&[200.0, 130.0, 50.0])).unwrap_err();
    assert!(matches!(three, NetworkError::Shape { .. }), "{three}");
    assert!(three.to_string().contains("needs [1, 4, 480, 640]"), "{three}");
}

use super::*;

fn mean_ring(frame: &Frame, ellipse: Ellipse, grow: f32, wanted: &Mask) -> f32 {
    let [a, b] = ellipse.semi_axes;
    let (mut sum, mut count) = (0.0, 0);
    for step in 0..720 {
        let t = (step as f32 / 2.0).to_radians();
        let (along, across) = ((a + grow) * t.cos(), (b + grow) * t.sin());
        let (cos, sin) = (ellipse.angle.cos(), ellipse.angle.sin());
        let x = (ellipse.centre[0] + along * cos - across * sin).round() as usize;
        let y = (ellipse.centre[1] + along * sin + across * cos).round() as usize;
        if x < WIDTH && y < HEIGHT && wanted.pixels()[y * WIDTH + x] {
            sum += f32::from(frame.pixels()[y * WIDTH + x]);
            count += 1;
        }
    }
    assert!(count > 200, "only {count} of 720 directions to look in");
    sum / count as f32
}

/// Pixels that no lid, lash or glint covers, wherever they lie.
fn open(rendered: &Rendered) -> Mask {
    rendered.truth.unhidden()
}

#[test]
fn the_same_numbers_give_the_same_bytes_and_any_other_gives_others() {
    let picture = |person, eye, session, shot| Subject::new(person, eye).visit(session).shot(shot).frame;
    let first = picture(1, Eye::Left, 1, 1);
    assert_eq!(first.pixels(), picture(1, Eye::Left, 1, 1).pixels());
    let others = [(2, Eye::Left, 1, 1), (1, Eye::Right, 1, 1), (1, Eye::Left, 2, 1), (1, Eye::Left, 1, 2)];
    for (person, eye, session, shot) in others {
        assert_ne!(first.pixels(), picture(person, eye, session, shot).pixels());
    }
}

#[test]
fn brightness_rises_at_the_circles_of_the_truth() {
    for person in 0..6 {
        for eye in Eye::BOTH {
            let rendered = Subject::new(person, eye).visit(person + 1).shot(0);
            let open = open(&rendered);
            let truth = &rendered.truth;
            let ring = |ellipse, grow| mean_ring(&rendered.frame, ellipse, grow, &open);
            let profile =
                |ellipse: Ellipse| -> Vec<f32> { (-8..=8).map(|d| ring(ellipse, d as f32)).collect() };
            for (ellipse, step) in [(truth.pupil, 30.0), (truth.iris, 20.0)] {
                let rise = profile(ellipse);
                assert!(rise[16] - rise[0] > step, "person {person} {eye}: step {}", rise[16] - rise[0]);
                // The mean of the two sides is crossed within two pixels of the edge.
                let half = f32::midpoint(rise[0], rise[16]);
                assert!(rise[6] < half && half < rise[10], "person {person} {eye}: {rise:?}");
            }
        }
    }
}

#[test]
fn truth_follows_the_conditions() {
    let subject = Subject::new(5, Eye::Right);
    let conditions = Conditions { dilation: 0.5, offset: [20.0, -10.0], rotation: 7.0, ..Conditions::good() };
    let truth = subject.visit_under(1, conditions).shot(0).truth;
    assert!((truth.pupil.semi_axes[0] / truth.iris.semi_axes[0] - 0.5).abs() < 1e-3);
    assert!((truth.iris.centre[0] - 340.0).abs() < 0.1 && (truth.iris.centre[1] - 230.0).abs() < 0.1);
    assert!((truth.rotation - 7.0).abs() < f32::EPSILON);
    assert!((100.0..140.0).contains(&truth.iris.semi_axes[0]), "radius {}", truth.iris.semi_axes[0]);
}

#[test]
fn lids_hide_what_the_conditions_say() {
    let subject = Subject::new(9, Eye::Left);
    let share = |conditions| subject.visit_under(1, conditions).shot(0).truth.visible_share();
    assert_eq!(subject.visit_under(1, Conditions::closed()).shot(0).truth.visible_iris().count(), 0);
    let half = share(Conditions::half_covered());
    assert!((0.3..0.65).contains(&half), "half covered shows {half}");
    assert!(share(Conditions::good()) > 0.75);
}

#[test]
fn a_closed_eye_has_no_pupil_in_the_picture() {
    let rendered = Subject::new(9, Eye::Left).visit_under(1, Conditions::closed()).shot(0);
    let [x, y] = rendered.truth.pupil.centre.map(|v| v as usize);
    let dark = (y - 20..y + 20).flat_map(|row| (x - 20..x + 20).map(move |column| row * WIDTH + column));
    let dark = dark.filter(|&index| rendered.frame.pixels()[index] < 60).count();
    assert!(dark < 160, "{dark} of 1600 pixels as dark as a pupil");
}

#[test]
fn blur_takes_the_texture_away() {
    let roughness = |conditions| {
        // Sensor noise comes after the lens and would hide what the lens does.
        let conditions = Conditions { noise: 0.0, ..conditions };
        let rendered = Subject::new(3, Eye::Left).visit_under(1, conditions).shot(0);
        let mask = rendered.truth.visible_iris();
        let step =
            |i: usize| f32::from(rendered.frame.pixels()[i]) - f32::from(rendered.frame.pixels()[i + 2]);
        let inside: Vec<usize> =
            (0..WIDTH * HEIGHT - 2).filter(|&i| mask.pixels()[i] && mask.pixels()[i + 2]).collect();
        inside.iter().map(|&i| step(i).powi(2)).sum::<f32>() / inside.len() as f32
    };
    let (sharp, soft) = (roughness(Conditions::good()), roughness(Conditions::blurred(6.0)));
    assert!(sharp > 4.0 * soft, "{sharp} against {soft}");
}

#[test]
fn a_camera_without_an_eye_has_no_frame() {
    let visit = Subject::new(1, Eye::Left).visit(1);
    let mut camera = Renderer::showing(Some(visit), None);
    assert!(camera.next_frame(Eye::Left).unwrap().is_some());
    assert!(camera.next_frame(Eye::Right).unwrap().is_none());
}
